"""Django's object mapper, which counts and collects what it deletes."""

import os

import django
from django.conf import settings
from django.db import models

first = int(os.environ["FIRST_ID"])
database = {
    "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": os.environ["SEXTON_PORT"],
    "USER": "app", "NAME": "shop",
}
settings.configure(DATABASES={"default": database}, USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

from django.utils import timezone  # noqa: E402: needs the settings above


class Claim(models.Model):
    id = models.IntegerField(primary_key=True)
    seat_id = models.IntegerField()
    customer_id = models.IntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        app_label, db_table = "shop", "claims"


class Order(models.Model):
    id = models.IntegerField(primary_key=True)
    customer_id = models.IntegerField()
    seat_id = models.IntegerField()
    cents = models.IntegerField()

    class Meta:
        app_label, db_table = "shop", "orders"


def same(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def remove_one(model, id):
    model.objects.get(pk=id).delete()


def remove_by_query(model, id):
    same(model.objects.filter(pk=id).delete()[0], 1)


for number, remove in enumerate([remove_one, remove_by_query]):
    id = first + number
    for model, values in [(Claim, {"expires_at": timezone.now()}), (Order, {"cents": 100})]:
        model.objects.create(id=id, seat_id=1, customer_id=1, **values)
        same(model.objects.filter(pk=id).count(), 1)
        remove(model, id)
        same(model.objects.filter(pk=id).exists(), False)
        same(model.objects.filter(pk=id).delete()[0], 0)
        same(model.objects.filter(pk=id).update(seat_id=2), 0)
print("ways 2")
