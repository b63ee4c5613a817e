"""A small SQLAlchemy application with relations, which knows nothing of soft deletion."""

import os
from datetime import datetime, timezone

from sqlalchemy import ForeignKey, create_engine, delete, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    claims: Mapped[list["Claim"]] = relationship(back_populates="customer", cascade="all, delete-orphan")
    orders: Mapped[list["Order"]] = relationship(back_populates="customer", cascade="all, delete-orphan")


class Claim(Base):
    __tablename__ = "claims"
    id: Mapped[int] = mapped_column(primary_key=True)
    seat_id: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    expires_at: Mapped[datetime]
    customer: Mapped[Customer] = relationship(back_populates="claims")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    seat_id: Mapped[int]
    cents: Mapped[int]
    customer: Mapped[Customer] = relationship(back_populates="orders")


def engine(port, user):
    return create_engine(f"postgresql+psycopg://{user}@127.0.0.1:{port}/shop")


def same(found, expected, what):
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"


def listed(session):
    query = select(Customer).options(joinedload(Customer.claims)).where(Customer.id >= 2000).order_by(Customer.id)
    customers = session.scalars(query).unique()
    return [(customer.name, len(customer.claims), len(customer.orders)) for customer in customers]


now = datetime.now(timezone.utc)
app = engine(os.environ["SEXTON_PORT"], "app")

with Session(app) as session:
    for number, name in enumerate(["Dora", "Emil", "Fritz"]):
        id = 2000 + number
        claims = [Claim(id=id * 10 + n, seat_id=1, expires_at=now) for n in range(3)]
        orders = [Order(id=id, seat_id=2, cents=100)]
        session.add(Customer(id=id, name=name, claims=claims, orders=orders))
    session.commit()

with Session(app) as session:
    same(listed(session), [("Dora", 3, 1), ("Emil", 3, 1), ("Fritz", 3, 1)], "created")
    session.delete(session.get(Claim, 20000))
    session.commit()
    session.delete(session.get(Customer, 2002))
    session.commit()

with Session(app) as session:
    same(listed(session), [("Dora", 2, 1), ("Emil", 3, 1)], "after deletes by the session")
    result = session.execute(delete(Claim).where(Claim.customer_id == 2001, Claim.id > 20010))
    same(result.rowcount, 2, "rows of a bulk delete")
    result = session.execute(delete(Order).where(Order.customer_id.in_(select(Customer.id).where(Customer.id >= 2000))))
    same(result.rowcount, 2, "rows of a bulk delete from an archived table")
    session.rollback()
    same(listed(session), [("Dora", 2, 1), ("Emil", 3, 1)], "after a rollback")
    session.execute(delete(Claim).where(Claim.customer_id == 2001, Claim.id > 20010))
    gone = session.scalars(delete(Order).where(Order.customer_id >= 2000).returning(Order.id)).all()
    same(sorted(gone), [2000, 2001], "RETURNING of a bulk delete")
    session.commit()

with Session(app) as session:
    same(listed(session), [("Dora", 2, 0), ("Emil", 1, 0)], "after bulk deletes")
    same(session.scalar(select(func.count()).select_from(Claim).where(Claim.customer_id >= 2000)), 3, "claims counted")

with engine(os.environ["SERVER_PORT"], "postgres").connect() as direct:
    count = lambda sql: direct.scalar(text(sql))
    same(count("SELECT count(*) FROM claims WHERE customer_id >= 2000 AND deleted_at IS NOT NULL"), 6, "claims kept")
    same(count("SELECT count(*) FROM customers WHERE id = 2002 AND deleted_at IS NOT NULL"), 1, "customer kept")
    same(count("SELECT count(*) FROM archive.orders WHERE customer_id >= 2000"), 3, "orders archived")

# Its rows have ids of their own, looked at above.
print("ways 0")
