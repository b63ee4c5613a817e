//! Whether a column of one type keeps every value of another as it is. An assignment would round some of the others
//! silently (numeric, timestamps), and refuse some.

/// The most digits of a second that a time has, and has where its type does not say.
const SECOND_DIGITS_MAX: i32 = 6;

/// True where a column of type `keeper` keeps every value of type `value`; both as `format_type` writes them. A pair of
/// different types that is not known here does not.
#[must_use]
pub fn keeps(keeper: &str, value: &str) -> bool {
    if keeper == value {
        return true;
    }
    match (keeper.strip_suffix("[]"), value.strip_suffix("[]")) {
        (Some(keeper), Some(value)) => keeps(keeper, value),
        (None, None) => Typed::read(keeper).zip(Typed::read(value)).is_some_and(|(keeper, value)| keeper.keeps(&value)),
        _ => false,
    }
}

/// A type and its modifiers: `timestamp(3) with time zone` is `timestamp with time zone` and 3.
struct Typed {
    name: String,
    modifiers: Vec<i32>,
}

impl Typed {
    /// `None` where a modifier is no number.
    fn read(text: &str) -> Option<Self> {
        let Some((before, rest)) = text.split_once('(') else {
            return Some(Self { name: text.to_owned(), modifiers: Vec::new() });
        };
        let (inside, after) = rest.split_once(')')?;
        let modifiers = inside.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
        Some(Self { name: format!("{before}{after}"), modifiers })
    }

    fn keeps(&self, value: &Self) -> bool {
        let has_no_limit = self.modifiers.is_empty();
        match (self.name.as_str(), value.name.as_str()) {
            ("numeric", "numeric") => has_no_limit || self.has_digits_of(value),
            ("character varying" | "bit varying" | "character", name) if name == self.name => {
                has_no_limit || self.first().zip(value.first()).is_some_and(|(own, other)| own >= other)
            }
            // All that a value says can be written.
            ("text", _) => true,
            ("character varying", _) => has_no_limit,
            ("integer" | "bigint", "smallint") | ("bigint", "integer") | ("double precision", "real") => true,
            ("numeric", "smallint" | "integer" | "bigint") => has_no_limit,
            (
                "timestamp without time zone"
                | "timestamp with time zone"
                | "time without time zone"
                | "time with time zone"
                | "interval",
                name,
            ) if name == self.name => {
                let digits = |typed: &Self| typed.first().unwrap_or(SECOND_DIGITS_MAX);
                digits(self) >= digits(value)
            }
            _ => false,
        }
    }

    fn first(&self) -> Option<i32> {
        self.modifiers.first().copied()
    }

    /// As many digits as `value` on either side of the point.
    fn has_digits_of(&self, value: &Self) -> bool {
        match (&self.modifiers[..], &value.modifiers[..]) {
            ([precision, scale], [other_precision, other_scale]) => {
                scale >= other_scale && precision - scale >= other_precision - other_scale
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wider_keeps_what_is_narrower() {
        for (wide, narrow) in [
            ("character varying(5)", "character varying(3)"),
            ("character varying", "character varying(3)"),
            ("text", "character varying(3)"),
            ("text", "public.mood"),
            ("text[]", "character varying(3)[]"),
            ("character(5)", "character(3)"),
            ("bit varying(5)", "bit varying(3)"),
            ("numeric", "numeric(12,4)"),
            ("numeric(12,4)", "numeric(10,2)"),
            ("numeric", "bigint"),
            ("bigint", "integer"),
            ("integer", "smallint"),
            ("double precision", "real"),
            ("timestamp without time zone", "timestamp(3) without time zone"),
            ("timestamp(3) with time zone", "timestamp(0) with time zone"),
            ("interval", "interval(3)"),
        ] {
            assert!(keeps(wide, narrow), "{wide} keeps {narrow}");
            assert!(!keeps(narrow, wide), "{narrow} does not keep {wide}");
        }
    }

    #[test]
    fn other_pairs_keep_nothing() {
        for (one, other) in [
            ("numeric(12,4)", "numeric(10,1)"),
            ("numeric(10,0)", "integer"),
            ("date", "timestamp with time zone"),
            ("timestamp with time zone", "timestamp without time zone"),
            ("character varying(3)", "public.mood"),
            ("text", "character varying(3)[]"),
            ("bit(5)", "bit(3)"),
            ("public.geometry(Point,4326)", "public.geometry(Point)"),
        ] {
            assert!(!keeps(one, other), "{one} does not keep {other}");
            assert!(!keeps(other, one), "{other} does not keep {one}");
        }
        assert!(
            keeps("public.mood", "public.mood") && keeps("timestamp with time zone", "timestamp(6) with time zone")
        );
    }
}
