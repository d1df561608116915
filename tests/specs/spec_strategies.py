"""Random specs: any kinds of columns, any options that go together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from gidbench.specs import model
from gidbench.specs.model import Distribution

FRACTIONS = st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
WORDS = st.text("abcXYZ é,\"'=", min_size=1, max_size=8)
SPREADS = st.one_of(
    st.just(Distribution()),
    st.builds(Distribution, st.just("zipf"), exponent=st.sampled_from([0.5, 1.0, 1.3, 3.0])),
    st.just(Distribution("normal")),
)


@st.composite
def integers(draw, name: str, rows: int) -> model.Integer:
    low = draw(st.integers(-(2**63), 2**63 - 1) | st.integers(-100, 100))
    most = 2**63 - 1 - low
    span = draw(st.integers(0, min(most, 2**62)) | st.integers(0, min(most, 5_000)))
    unique = span + 1 >= rows and draw(st.booleans())
    spread = Distribution() if unique else draw(SPREADS)
    return model.Integer(name, low, low + span, spread, unique=unique, null_fraction=draw(FRACTIONS))


@st.composite
def decimals(draw, name: str) -> model.DecimalNumber:
    scale = draw(st.integers(0, 6))
    low = draw(st.integers(-(10**9), 10**9))
    high = low + draw(st.integers(0, 10**9))
    bounds = [Decimal(bound).scaleb(-scale) for bound in (low, high)]
    precision = draw(st.integers(max(11, scale), 30))
    return model.DecimalNumber(name, *bounds, precision, scale, draw(SPREADS), null_fraction=draw(FRACTIONS))


@st.composite
def dates(draw, name: str, rows: int) -> model.Date:
    low = draw(st.dates(max_value=dt.date(9000, 1, 1)))
    high = low + dt.timedelta(days=draw(st.integers(0, 300_000)))
    unique = (high - low).days + 1 >= rows and draw(st.booleans())
    spread = Distribution() if unique else draw(SPREADS)
    return model.Date(name, low, high, spread, unique=unique, null_fraction=draw(FRACTIONS))


@st.composite
def timestamps(draw, name: str) -> model.Timestamp:
    low = draw(
        st.datetimes(max_value=dt.datetime(9000, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
    )
    high = low + dt.timedelta(seconds=draw(st.integers(0, 10**9)))
    resolution = draw(st.sampled_from(["s", "ms", "us"]))
    return model.Timestamp(name, low, high, resolution, draw(SPREADS), null_fraction=draw(FRACTIONS))


@st.composite
def choices(draw, name: str) -> model.Choice:
    values = draw(
        st.lists(WORDS, min_size=1, max_size=9, unique=True)
        | st.lists(st.integers(-9, 9), min_size=1, unique=True)
    )
    weights = draw(
        st.just(()) | st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=len(values), max_size=len(values))
    )
    if weights and not any(weights):
        weights = ()
    spread = Distribution() if weights else draw(SPREADS)
    return model.Choice(name, tuple(values), tuple(weights), spread, null_fraction=draw(FRACTIONS))


@st.composite
def patterns(draw, name: str) -> model.Pattern:
    pieces = draw(
        st.lists(
            st.sampled_from(
                ["{digits:3}", "{letters:2}", "{lower:11}", "{hex:9}", "-", "é{{", "a longer literal text"]
            ),
            min_size=1,
            max_size=4,
        )
    )
    if draw(st.booleans()):
        pieces.insert(
            draw(st.integers(0, len(pieces))),
            draw(st.sampled_from(["{seq}", "{seq:02}", "{seq:07}", "{seq:15}"])),
        )
    return model.Pattern(name, "".join(pieces), null_fraction=draw(FRACTIONS))


@st.composite
def texts(draw, name: str) -> model.Text:
    low = draw(st.integers(0, 60))
    return model.Text(name, low, low + draw(st.integers(0, 90)), draw(SPREADS), null_fraction=draw(FRACTIONS))


@st.composite
def columns(draw, name: str, rows: int) -> model.Column:
    return draw(
        st.one_of(
            integers(name, rows),
            decimals(name),
            dates(name, rows),
            timestamps(name),
            choices(name),
            patterns(name),
            texts(name),
            st.builds(model.Sequence, st.just(name), st.integers(-99, 99), st.sampled_from([1, -3, 7])),
            st.builds(model.Boolean, st.just(name), FRACTIONS, null_fraction=FRACTIONS),
            st.builds(
                model.Name, st.just(name), st.sampled_from(["full", "first", "last"]), null_fraction=FRACTIONS
            ),
            st.builds(model.NationalId, st.just(name), null_fraction=FRACTIONS),
            st.builds(model.Uuid, st.just(name), null_fraction=FRACTIONS),
        )
    )


@st.composite
def dependents(draw, made: list[model.Column], name: str) -> model.Column | None:
    """A column that agrees with one of those, where one is fit."""
    other = draw(st.sampled_from(made))
    nulls = draw(FRACTIONS)
    match other:
        case model.Date() | model.Timestamp() if draw(st.booleans()) and other.bounds[1].year < 9500:
            kind = draw(st.sampled_from([model.Date, model.Timestamp]))
            gap, within = draw(st.integers(0, 400)), draw(st.integers(0, 400))
            return kind(name, after=other.name, gap_days=gap, within_days=within, null_fraction=nulls)
        case model.Date() | model.Timestamp():
            return model.Pattern(
                name, "{year}/{month}-{day}", correlated_with=other.name, null_fraction=nulls
            )
        case model.NationalId():
            kind = draw(st.sampled_from([model.Date, model.Name]))
            return kind(name, correlated_with=other.name, null_fraction=nulls)
        case model.Name():
            return model.Pattern(
                name, "{value:slug}.{seq}@x", correlated_with=other.name, null_fraction=nulls
            )
        case model.Choice() if other.values and isinstance(other.values[0], str):
            groups = {value: (f"{value}1", f"{value}2") for value in other.values}
            return model.Choice(name, values_by=groups, correlated_with=other.name, null_fraction=nulls)
        case model.Integer() if not other.unique:
            rho = draw(st.sampled_from([-1.0, -0.5, 0.0, 0.8, 1.0]))
            return model.Integer(
                name, 0, 1_000, correlated_with=other.name, correlation=rho, null_fraction=nulls
            )
    return None


@st.composite
def specs(draw, rows: int) -> model.Spec:
    """A spec of one table `made` of up to nine columns, some of which agree with others."""
    made = [draw(columns(f"c{place}", rows)) for place in range(draw(st.integers(1, 6)))]
    for place in range(draw(st.integers(0, 3))):
        found = draw(dependents(made, f"d{place}"))
        if found is not None:
            made.append(found)
    keys = [column for column in made if isinstance(column, model.Sequence)]
    if keys and draw(st.booleans()):
        made.append(
            model.ForeignKey("key", f"made.{keys[0].name}", draw(SPREADS), null_fraction=draw(FRACTIONS))
        )
    draw(st.randoms(use_true_random=False)).shuffle(made)
    return model.Spec({"made": model.Table("made", tuple(made), rows)})
