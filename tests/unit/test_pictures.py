"""The pictures of tests/golden/pictures/, what holds of every picture, and the arithmetic they stand on.

After a wanted change, `UPDATE_GOLDEN=1 pytest tests/unit/test_pictures.py` writes them anew. Then look at them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hostile_names import HOSTILE_NAMES
from picture_cases import CASES, Case, history
from records import experiment
from specweave_ml.escape import in_one_line
from specweave_ml.pictures.axes import cost_axis, metric_axis
from specweave_ml.pictures.cost import MOST_DRAWN, MOST_NAMED, cost_picture
from specweave_ml.pictures.course import course
from specweave_ml.pictures.curves import MOST_CURVES, curves_picture
from specweave_ml.pictures.differences import MOST_ROWS, Difference, Noise, differences_picture
from specweave_ml.pictures.lettering import cut
from specweave_ml.pictures.pareto import Priced, on_the_front
from specweave_ml.pictures.plan import histories_wanted
from specweave_ml.pictures.scale import coordinate, drawable, linear, logarithmic, polyline
from specweave_ml.pictures.thinning import thinned

FOLDER = Path(__file__).parents[1] / "golden" / "pictures"
TEMPLATES = Path(__file__).parents[2] / "templates" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"
TAGS = {SVG + tag for tag in "svg title desc style rect text path g".split()}
ATTRIBUTES = set("width height viewBox role x y dx dy rx d fill stroke class".split())
DRAWN = [(case, name) for case in CASES for name in CASES[case]().pictures()]

NUMBERS = st.floats(allow_nan=False, allow_infinity=False).filter(drawable)
NAMES = st.text(min_size=1, max_size=60)


@pytest.fixture(scope="module")
def pictures():
    return {case: make().pictures() for case, make in CASES.items()}


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own text, and a parser that fails is what is tested


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in parsed(svg).iter(SVG + "text")]


def described(svg: str) -> str:
    return parsed(svg).findtext(SVG + "desc")


def numbers_in(svg: str) -> Iterator[float]:
    for node in parsed(svg).iter():
        for attribute in ("x", "y", "width", "height", "d"):
            yield from map(float, re.findall(r"-?\d*\.?\d+", node.get(attribute, "")))


def assert_sound(svg: str) -> None:
    """A well-formed picture of our own elements alone, which loads nothing and runs nothing."""
    assert svg.startswith("<!-- specweave:picture v1 -->\n<svg ")
    assert svg.endswith("</svg>\n")
    root = parsed(svg)
    nodes = [*root.iter()]
    assert {node.tag for node in nodes} <= TAGS
    assert {name for node in nodes for name in node.attrib} <= ATTRIBUTES
    assert root.get("role") == "img"
    assert [node.tag for node in root[:2]] == [SVG + "title", SVG + "desc"]
    assert root[0].text
    assert root[1].text
    style = root.findtext(SVG + "style")
    assert "url(" not in style
    assert "@" not in style
    card = root.find(SVG + "rect")
    assert float(card.get("width")) == float(root.get("width")) - 1
    assert float(card.get("height")) == float(root.get("height")) - 1
    assert "nan" not in "".join(node.get("d", "") for node in nodes)


@pytest.mark.parametrize(("case", "name"), DRAWN)
def test_golden(case, name, pictures):
    expected = FOLDER / f"{case}-{name}"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(pictures[case][name].svg, encoding="utf-8")
    assert pictures[case][name].svg == expected.read_text(encoding="utf-8")


def test_no_golden_picture_without_a_case():
    assert {path.name for path in FOLDER.iterdir()} == {f"{case}-{name}" for case, name in DRAWN}


@pytest.mark.parametrize(("case", "name"), DRAWN)
def test_every_picture_is_sound_and_small(case, name, pictures):
    svg = pictures[case][name].svg
    assert_sound(svg)
    assert len(svg.encode()) < (6_500 if case in {"three", "repeated", "one", "one-value-each", "hostile"} else 13_000)
    root = parsed(svg)
    for node in root.iter(SVG + "text"):
        assert 0 <= float(node.get("x")) <= 720
        assert 0 <= float(node.get("y")) <= float(root.get("height"))
        assert len(node.text) <= 110


@pytest.mark.parametrize(("case", "name"), DRAWN)
def test_the_markdown_shows_it_and_says_what_it_shows(case, name, pictures):
    picture = pictures[case][name]
    (paragraph,) = [
        token for token in MarkdownIt("commonmark").parse(picture.link(f"_pictures/{name}")) if token.children
    ]
    (image,) = paragraph.children
    assert image.type == "image"
    assert image.attrs["src"] == f"_pictures/{name}"
    assert all(part.type in {"text", "text_special"} for part in image.children)
    said = "".join(part.content for part in image.children)
    assert in_one_line(picture.alt).startswith(said.removesuffix("…"))
    assert parsed(picture.svg).findtext(SVG + "title") in said


def test_the_same_bytes_whatever_the_order_the_process_and_the_locale(pictures):
    reversed_ = {case: make().pictures(lambda found: found[::-1]) for case, make in CASES.items()}
    assert reversed_ == pictures
    script = (
        "import hashlib; from picture_cases import CASES; "
        "print(hashlib.sha256(repr([[*make().pictures().items()] for make in CASES.values()]).encode()).hexdigest())"
    )
    digests = set()
    for seed, zone, language in (("0", "UTC", "C"), ("1", "Asia/Tokyo", "de_DE.UTF-8")):
        told = {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language, "PYTHONPATH": str(Path(__file__).parents[1])}
        run = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **told}, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1


# What is planned, and what is not.


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("three", {"differences.svg", "cost.svg"}),
        ("one", {"curve-accuracy.svg"}),
        ("one-value-each", {"cost.svg"}),
        ("repeated", {"differences.svg", "cost.svg", "curve-val_loss.svg"}),
        ("cross-validated-curves", {"curve-val_accuracy.svg"}),
    ],
)
def test_only_what_has_something_to_show_is_drawn(case, names, pictures):
    assert pictures[case].keys() == names


@pytest.mark.parametrize(
    "experiments",
    [
        [],
        [experiment("alone", {"accuracy": 0.9}, seconds=3)],
        [experiment("a", {"accuracy": 0.9}), experiment("b", {"accuracy": 0.8})],
        [experiment("a", {"accuracy": 0.9}, seconds=3), experiment("b", {"accuracy": 0.8}, seconds=3)],
        [experiment("a", {"whatsit": 0.9}, seconds=3), experiment("b", {"whatsit": 0.8}, seconds=4)],
        [experiment("a", {"accuracy": float("nan")}, seconds=3), experiment("b", {"accuracy": 0.8}, seconds=4)],
        [experiment("a", status="failed"), experiment("b", kind="foreign", status="unknown")],
    ],
    ids=["none", "one", "no cost", "same cost", "unknown direction", "one number", "none finished"],
)
def test_nothing_is_drawn_of_nothing(experiments):
    case = Case(experiments, {(each.name, "accuracy"): history([0.9]) for each in experiments})
    assert case.pictures() == {}


def test_a_name_can_be_no_path():
    case = Case([experiment("a", {"../../x y/Loss": 0.9})], {("a", "../../x y/Loss"): history([1, 0.9])})
    (name,) = case.pictures()
    assert re.fullmatch(r"curve-[a-z0-9_-]+\.svg", name)


def test_histories_are_asked_for_by_the_name_they_were_logged_by():
    experiments = [
        experiment("a", {"Val Loss": 0.2, "accuracy": 0.9}),
        experiment("b", {"val_loss": 0.3, "accuracy": 0.8}),
    ]
    wanted = histories_wanted(Case(experiments).findings())
    assert {(each.name, metric) for each, metric in wanted} == {
        ("a", "Val Loss"),
        ("a", "accuracy"),
        ("b", "val_loss"),
        ("b", "accuracy"),
    }


def test_the_last_value_logged_without_a_step_does_not_number_the_points():
    points = history([1, 0.5, 0.25, 0.25], [0, 10, 20, None])
    case = Case([experiment("a", {"loss": 0.25})], {("a", "loss"): points})
    (picture,) = case.pictures().values()
    assert "step 20" in described(picture.svg)
    unstepped = Case(case.experiments, {("a", "loss"): history([1, 0.5, 0.25], [None] * 3)})
    (picture,) = unstepped.pictures().values()
    assert "point 3" in described(picture.svg)


def test_a_cost_is_the_first_that_differs():
    models = [
        experiment(name, {"auc": auc, "latency_ms": ms}, seconds=5) for name, auc, ms in (("a", 0.9, 40), ("b", 0.8, 3))
    ]
    picture = Case(models).pictures()["cost.svg"]
    assert "AUC against Latency" in texts(picture.svg)
    assert {"40ms", "3ms"} <= {*texts(picture.svg)}


# Each picture says what its numbers say.


def test_differences_in_words(pictures):
    svg = pictures["three"]["differences.svg"].svg
    assert "1 cannot be told apart from it, 1 is worse" in described(svg)
    assert re.search(r"exp-003-lightgbm: -0\.00\d+ \(-0\.0\d+ to \+0\.0\d+\), cannot be told apart\.", described(svg))
    assert "exp-001-baseline: -0.15" in described(svg)


def test_differences_follow_the_evidence():
    findings = CASES["twenty"]().findings()
    evidence = findings.evidence
    svg = CASES["twenty"]().pictures()["differences.svg"].svg
    for name in evidence.alike:
        assert re.search(rf"{name}: [^.]*\.[^:]*cannot be told apart\.", described(svg))
    for name in evidence.told_apart:
        assert re.search(rf"{name}: [^:]*worse\.", described(svg))


def test_repeats_give_the_grey_band_their_spread(pictures):
    svg = pictures["repeated"]["differences.svg"].svg
    spread = CASES["repeated"]().findings().repeats["xgboost-seed1"].spread("val_loss")
    assert f"±{spread:.3g}" in described(svg)
    assert "spread of its repeats" in texts(svg)


def test_repeats_that_diverged_break_nothing():
    seeds = [
        experiment(f"{name}-{seed}", {"reward": value * seed}, params={"seed": seed, "model": name}, seconds=seed)
        for name, value in (("wild", 1e200), ("tame", 1.0))
        for seed in (1, 2, 3)
    ]
    for picture in Case(seeds).pictures().values():
        assert_sound(picture.svg)


def test_an_interval_that_goes_on_and_a_model_beyond_the_edge_are_marked():
    models = [
        Difference("best", 0, "best"),
        Difference("near", -0.01, "equal", -0.02, 0.01),
        Difference("wide", -0.05, "apart", -9.0, -0.01),
        Difference("far", -70.0, "apart", -71.0, -69.0),
    ]
    picture = differences_picture(models, metric="AUC", direction="maximize", best_value="0.9", method="Lines: x.")
    assert any("beyond the edge" in text for text in texts(picture.svg))
    assert f"{70:.3f}".join(["\N{MINUS SIGN}", ""]) in texts(picture.svg)
    assert "-70.0 (-71.0 to -69.0), worse." in described(picture.svg)
    assert all(abs(number) < 1000 for number in numbers_in(picture.svg))


def test_forty_rows_fit_and_the_others_are_counted(pictures):
    svg = pictures["forty-five"]["differences.svg"].svg
    assert sum(text.startswith("trial-") for text in texts(svg)) == MOST_ROWS
    assert any("5 more models" in text for text in texts(svg))


def test_the_front_of_many_models_is_named_whatever_its_rank():
    cheap = Priced("cheap", 0.1, 1, "0.1", "1s")
    models = [Priced(f"m{number:03}", 0.9 - number / 1e4, 10 + number, "0.9", "10s") for number in range(500)]
    picture = cost_picture([*models, cheap], metric="AUC", direction="maximize", cost="Time", is_time=True)
    names = [text for text in texts(picture.svg) if text.startswith("m") or text == "cheap"]
    assert len(names) == MOST_NAMED
    assert "cheap" in names
    assert any(f"{501 - MOST_DRAWN} more models" in text for text in texts(picture.svg))
    assert len(picture.svg) < 25_000


def test_numbers_that_are_none_are_left_out_and_said(pictures):
    assert any("diverged" in text for text in texts(pictures["twenty"]["differences.svg"].svg))
    assert any("1 model." in text for text in texts(pictures["twenty"]["cost.svg"].svg))
    assert any("2 values, NaN or infinite" in text for text in texts(pictures["many-curves"]["curve-val_loss.svg"].svg))


def test_repeats_are_a_mean_in_a_band(pictures):
    svg = pictures["repeated"]["curve-val_loss.svg"].svg
    bands = [node for node in parsed(svg).iter(SVG + "path") if "band" in node.get("class", "")]
    assert len(bands) == 2
    assert "xgboost-seed1, mean of 5 repeats: from" in described(svg)


def test_the_course_of_repeats_is_over_the_steps_they_share():
    went = course("x", [history([1, 2, 3, 9]), history([3, 4, 5]), history([5, 6, 7, 8], [0, 1, 2, 7])])
    assert [*went.steps] == [0, 1, 2]
    assert [*went.means] == [3, 4, 5]
    assert ([*went.lows], [*went.highs], went.members) == ([1, 2, 3], [5, 6, 7], 3)
    alone = course("x", [history([1, 2]), history([3, 4], [5, 6])])
    assert ([*alone.steps], [*alone.means], alone.members) == ([0, 1], [1, 2], 1)
    assert course("x", [history([1]), history([])]) is None


def test_more_curves_than_can_be_told_apart_are_counted(pictures):
    svg = pictures["many-curves"]["curve-val_loss.svg"].svg
    assert sum(text.startswith("run-") for text in texts(svg)) == MOST_CURVES
    assert any("2 more models" in text for text in texts(svg))


# Recorded text.


def test_hostile_names_are_text_and_nothing_else():
    for at in range(0, len(HOSTILE_NAMES), 30):
        names = [name for name in HOSTILE_NAMES[at : at + 30] if name]
        models = [Difference("best", 0, "best"), *(Difference(name, -1, "equal", -2, 1) for name in names)]
        noise = Noise(0.1, names[0], names[-1])
        picture = differences_picture(
            models, metric=names[0], direction="maximize", best_value="1", method=names[0], noise=noise
        )
        assert_sound(picture.svg)
        assert all(cut(name, 27) in texts(picture.svg) for name in names if in_one_line(name))
        priced = [Priced(name, 1.0, place, "1", "1") for place, name in enumerate(names)]
        assert_sound(cost_picture(priced, metric=names[0], direction="minimize", cost=names[-1], is_time=False).svg)
        for name in names:
            assert_sound(curves_picture([course(name, [history([1, 2])])], metric=name, direction=None).svg)


@given(NAMES, NAMES, st.lists(st.floats(), min_size=1, max_size=60), st.sampled_from(["maximize", "minimize"]))
def test_any_numbers_and_any_names_make_a_sound_picture(name, metric, values, direction):
    pairs = [*pairwise(values)]
    models = [
        Difference(name, 0.0, "best"),
        *(
            Difference(f"{name}{at}", a, "equal" if at % 2 else "apart", a - abs(b), a + abs(b))
            for at, (a, b) in enumerate(pairs)
        ),
    ]
    made = [
        differences_picture(models, metric=metric, direction=direction, best_value="1", method="x"),
        cost_picture(
            [Priced(f"{name}{at}", a, b, "1", "2") for at, (a, b) in enumerate(pairs)],
            metric=metric,
            direction=direction,
            cost=metric,
            is_time=len(values) % 2 == 0,
        ),
        curves_picture(
            [
                each
                for each in (course(name, [history(values)]), course(metric, [history(values), history(values[::-1])]))
                if each
            ],
            metric=metric,
            direction=direction,
        ),
    ]
    for picture in filter(None, made):
        assert_sound(picture.svg)
        assert all(abs(number) < 3000 for number in numbers_in(picture.svg))


def test_colours_can_be_read_on_the_card():
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    card, decoration = "#fbfcfd", {"#d1d9e0", "#e6e9ed", "#e1e6ec", "#9fc3e6", "#8c959f"}
    used = {colour for path in TEMPLATES.iterdir() for colour in re.findall("#[0-9a-f]{6}", path.read_text())}
    assert card in used
    assert decoration <= used
    for colour in used - decoration - {card}:
        least = 4.5 if colour in {"#1f2328", "#59636e"} else 3  # of text, and of shapes
        assert (luminance(card) + 0.05) / (luminance(colour) + 0.05) > least, colour


# The arithmetic.


@given(st.lists(NUMBERS, min_size=1), st.sampled_from([True, False]))
def test_a_linear_scale_reaches_all_values_and_has_round_ticks(values, pad):
    scale = linear(values, 100, 500, pad=pad)
    assert scale.low < scale.high
    assert scale(scale.low) == 100
    assert scale(scale.high) == 500
    positions = [scale(value) for value in sorted(values)]
    assert positions == sorted(positions)
    assert all(100 <= position <= 500 for position in positions)
    ticks = [tick.value for tick in scale.ticks]
    assert 2 <= len(ticks) <= 11
    assert ticks == sorted({*ticks})
    assert all(scale.reaches(tick) or abs(scale(tick) - 300) >= 199.9 for tick in ticks)
    labels = [tick.text for tick in scale.ticks]
    assert len({*labels}) == len(labels)
    assert max(map(len, labels)) <= 9


@given(st.lists(st.floats(1e-250, 1e250), min_size=2))
def test_a_logarithmic_scale_reaches_all_values_and_keeps_ratios(values):
    scale = logarithmic(values, 400, 0)
    positions = [scale(value) for value in sorted(values)]
    assert positions == sorted(positions, reverse=True)
    assert all(0 <= position <= 400 for position in positions)
    assert len(scale.ticks) <= 7
    assert len({tick.text for tick in scale.ticks}) == len(scale.ticks)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ([0.87, 0.91], ["0.87", "0.88", "0.89", "0.90", "0.91"]),
        ([0, 30_000], ["0", "10000", "20000", "30000"]),
        ([0, 3e6], ["0", "1", "2", "3"]),
        ([1e-7, 3e-7], ["1.0", "1.5", "2.0", "2.5", "3.0"]),
        ([-5, 5], ["\N{MINUS SIGN}4", "\N{MINUS SIGN}2", "0", "2", "4"]),
        ([7, 7], ["6.8", "7.0", "7.2"]),
        ([0, 0], ["\N{MINUS SIGN}1.0", "\N{MINUS SIGN}0.5", "0.0", "0.5", "1.0"]),
    ],
)
def test_ticks_are_what_a_person_would_choose(values, labels):
    assert [tick.text for tick in linear(values, 0, 100, pad=False).ticks] == labels


@pytest.mark.parametrize(
    ("seconds", "unit", "labels"),
    [
        ([2, 45, 320], "", ["2s", "5s", "10s", "20s", "50s", "100s", "200s"]),
        ([30, 45], "(seconds)", ["30", "35", "40", "45"]),
        ([1300, 3000], "(minutes)", ["0", "20", "40"]),
        ([0.004, 90_000], "", ["0.1s", "10s", "20min", "2d"]),
        ([200_000, 400_000], "(days)", ["0", "1", "2", "3", "4"]),
    ],
)
def test_times_have_ticks_in_the_units_people_use(seconds, unit, labels):
    scale, said = cost_axis(seconds, 0, 100, is_time=True)
    assert said == unit
    assert [tick.text for tick in scale.ticks] == labels


def test_only_what_is_better_when_lower_goes_by_factors():
    assert metric_axis([1e-4, 1], "minimize", 0, 100).log
    assert not metric_axis([1e-4, 1], "maximize", 0, 100).log
    assert not metric_axis([0, 1], "minimize", 0, 100).log


@given(st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=1))
def test_a_path_ends_where_its_points_do(points):
    steps = re.findall(r"[Ml](-?[\d.]+) ?(-?[\d.]+)", polyline(points))
    ends = [sum(float(step[axis]) for step in steps) for axis in (0, 1)]
    assert ends == pytest.approx(points[-1], abs=0.051)


@given(st.floats(-1e5, 1e5))
def test_the_last_bit_of_a_coordinate_is_never_written(number):
    assert float(coordinate(number)) == pytest.approx(number, abs=0.0501)
    assert coordinate(round(number, 1)) == coordinate(round(number, 1) + 1e-9)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=3000), st.integers(10, 200))
def test_thinning_keeps_ends_and_spikes(values, most):
    kept = thinned([values], most)
    assert [*kept] == sorted({*kept})
    assert len(kept) <= most
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    assert min(values[index] for index in kept) == min(values)
    assert max(values[index] for index in kept) == max(values)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12),
    st.sampled_from(["maximize", "minimize"]),
)
def test_the_front_is_what_nothing_else_beats(points, direction):
    models = [Priced(str(at), value, cost, "", "") for at, (value, cost) in enumerate(points)]
    sign = -1 if direction == "maximize" else 1

    def beats(one: Priced, other: Priced) -> bool:
        mine, theirs = (sign * one.value, one.cost), (sign * other.value, other.cost)
        return mine != theirs and mine[0] <= theirs[0] and mine[1] <= theirs[1]

    unbeaten = {model.name for model in models if not any(beats(other, model) for other in models)}
    assert {model.name for model in on_the_front(models, direction)} == unbeaten


@given(st.text(), st.integers(5, 40))
def test_a_cut_name_fits_and_keeps_both_ends(name, cells):
    assume(in_one_line(name))
    short = cut(name, cells)
    assert len(short) <= cells
    head, mark, tail = short.partition("…") if short != in_one_line(name) else (short, "", "")
    assert in_one_line(name).startswith(head)
    assert in_one_line(name).endswith(tail)
    assert not mark or "…" in short


def test_wide_characters_take_two_cells():
    assert cut("模型" * 20, 11) == "模型…模型"
    assert cut("模型" * 20, 80) == "模型" * 20
