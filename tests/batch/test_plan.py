"""From rows to a plan."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from attrs import evolve

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import ImageToVideo, OmniReference, TextToVideo
from seedance_async.core.plan import Plan, describe_plan, describe_problems, judge_budget, make_plan
from seedance_async.core.rows import Row, RowSource
from seedance_async.errors import InputError, Problem
from tests.batch.plans import plan_of, plan_of_csv


def _row(line: int, prompt: str = "a lake", **more: object) -> Row:
    row_id, output = more.pop("id", None), more.pop("output", None)
    assert row_id is None or isinstance(row_id, str)
    assert output is None or isinstance(output, str)
    carried = more.pop("carried", {})
    assert isinstance(carried, dict)
    return Row(line, row_id, {"prompt": prompt, **more}, output, carried, {"prompt": prompt})


def _source(*rows: Row, problems: tuple[Problem, ...] = (), comments: int = 0) -> RowSource:
    return RowSource("a.csv", "csv", rows, problems, ("prompt",), comments=comments)


def _plan(
    *rows: Row,
    name: str | None = None,
    defaults: Mapping[str, object] | None = None,
    catalogue: Catalogue = Catalogue.CLASSIC,
) -> Plan:
    return make_plan(_source(*rows), defaults=defaults or {}, catalogue=catalogue, name_pattern=name)


def _refused(*rows: Row, name: str | None = None, defaults: Mapping[str, object] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        _plan(*rows, name=name, defaults=defaults)
    return str(caught.value)


def _files(plan: Plan) -> list[str]:
    return [str(row.file) for row in plan.rows]


def test_the_class_follows_from_the_columns_and_defaults_fill_gaps() -> None:
    """A row's own value wins over the default; a frame makes ImageToVideo, media make OmniReference."""
    plan = _plan(
        _row(2, duration=8),
        _row(3, first_frame="https://a.example/1.png"),
        _row(4, images=("https://a.example/1.png",)),
        defaults={"duration": 10},
    )
    assert [type(row.inputs) for row in plan.rows] == [TextToVideo, ImageToVideo, OmniReference]
    assert [getattr(row.inputs, "duration", None) for row in plan.rows] == [8, 10, 10]
    assert [(row.index, row.line) for row in plan.rows] == [(1, 2), (2, 3), (3, 4)]


def test_every_problem_of_every_row_comes_at_once() -> None:
    """Reading, ids, values and names are reported together, each with the file and the line."""
    read = Problem("a.csv, line 9", "is broken")
    rows = (_row(2, duration=99), _row(3, aspect_ratio="7:3", id="x"), _row(4, id="x"))
    with pytest.raises(InputError) as caught:
        make_plan(_source(*rows, problems=(read,)), defaults={}, catalogue=Catalogue.CLASSIC, name_pattern="{task_id}")
    paths = [problem.path for problem in caught.value.problems]
    assert sorted(paths) == [
        "a.csv, line 2: duration",
        "a.csv, line 3: aspect_ratio",
        "a.csv, line 4: id",
        "a.csv, line 9",
        "name",
    ]


def test_a_row_shows_names_and_values_at_once() -> None:
    """P5: an unknown field, a missing one, a foreign one and wrong values of one row come together."""
    with pytest.raises(InputError) as caught:
        plan_of(
            {"duration": 99, "stlye": "noir", "last_frame": "cat.png"},
            {"prompt": "a lake", "first_frame": "https://a.example/1.png", "videos": [], "aspect_ratio": "7:3"},
        )
    assert [problem.path for problem in caught.value.problems] == [
        "rows.jsonl, line 1: stlye",
        "rows.jsonl, line 1: prompt",
        "rows.jsonl, line 1: first_frame",
        "rows.jsonl, line 1: last_frame",
        "rows.jsonl, line 1: duration",
        "rows.jsonl, line 2: videos",
        "rows.jsonl, line 2: aspect_ratio",
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"Prompt": "a lake"},
        {"prompt": "@image1 walks", "firstFrame": "https://a.example/1.png"},
        {"prompt": "@image2 walks", "imageUrls": ["https://a.example/1.png", "https://a.example/2.png"]},
        {"prompt": "a lake", "fist_frame": "https://a.example/1.png", "last_frame": "https://a.example/2.png"},
        {"prompt": "a lake", "x" * 100: 1},
        {"prompt": "a lake", "Model": "seedance2-fast", "output_resolution": "720p", "stlye": ""},
    ],
)
def test_a_misspelt_column_is_one_problem(row: dict[str, object]) -> None:
    """What follows only from the slip is not told: nothing is missing, and nothing points to nothing."""
    with pytest.raises(InputError) as caught:
        plan_of(row)
    assert len(caught.value.problems) == 1


def test_a_problem_that_reading_found_is_not_told_twice() -> None:
    """A cell that is no number is one problem, although the row is checked all the same."""
    read = Problem("a.csv, line 2: duration", "must be a whole number of seconds")
    with pytest.raises(InputError) as caught:
        make_plan(_source(_row(2, duration="5s"), problems=(read,)), defaults={}, catalogue=Catalogue.CLASSIC)
    assert caught.value.problems == (read,)


@pytest.mark.parametrize("row_id", ["a\nb", "a\u00a0b", "a\u200bb"])
def test_an_id_that_cannot_be_printed_is_refused(row_id: str) -> None:
    """It would be a key that the session refuses in the middle of the batch."""
    assert "line 2: id: holds characters that cannot be printed" in _refused(_row(2, id=row_id))


def test_an_empty_plan_is_refused() -> None:
    """A header without rows asks for nothing."""
    assert "holds no rows" in _refused()


def test_keys_are_ids_or_digests_that_do_not_depend_on_the_place() -> None:
    """Moving rows moves their keys with them; equal rows are told apart by an ordinal."""
    rows = (_row(2), _row(3, id="seven"), _row(4, "a hill"), _row(5))
    plan = _plan(*rows, name="{index}")
    keys = {row.line: row.key for row in plan.rows}
    assert keys[3] == "seven"
    assert keys[5] == f"{keys[2]}~2"
    assert keys[2].startswith("v1:")
    moved = _plan(rows[2], rows[0], rows[3], name="{index}")
    assert {row.line: row.key for row in moved.rows} == {line: keys[line] for line in (2, 4, 5)}


def test_files_follow_output_then_id_then_number_and_prompt() -> None:
    """The extension is added; text from data becomes a harmless name."""
    plan = _plan(
        _row(2, output="scenes/lake.mp4", id="x"),
        _row(3, output="hill"),
        _row(4, id="order/17: final?"),
        _row(5, "A lake at dawn, mist; the camera moves very slowly to the left"),
        _row(6, "?!"),
        _row(7, output="./Straße\\ü.MP4"),
    )
    assert _files(plan) == [
        "scenes/lake.mp4",
        "hill.mp4",
        "order_17_ final_.mp4",
        "004-a-lake-at-dawn-mist-the-camera-moves.mp4",
        "005-video.mp4",
        "Straße/ü.MP4",
    ]


def test_what_no_row_has_is_told_once() -> None:
    """A thousand rows without the column of the pattern are one mistake; rows that name their file need none."""
    with pytest.raises(InputError) as caught:
        _plan(_row(2), _row(3), name="{scene}")
    assert [problem.path for problem in caught.value.problems] == ["name"]
    text = _refused(_row(2, carried={"#scene": "1"}), _row(3), name="{scene}")
    assert "a.csv, line 3: output: the row has nothing in the column #scene" in text
    assert "line 3: output: the row has no id" in _refused(_row(2, id="a"), _row(3), name="{id}")
    assert _files(_plan(_row(2, output="a"), name="{id}")) == ["a.mp4"]


def test_the_output_of_a_row_outranks_the_pattern() -> None:
    """As with every option: it is for rows that leave theirs empty."""
    assert _files(_plan(_row(2, output="mine.mp4"), _row(3), name="{index}")) == ["mine.mp4", "2.mp4"]


@pytest.mark.parametrize("row_id", ["x" * 200, "é" * 150, "con", "-a", "..a..", "a.mp4", "order/17: final?"])
def test_every_planned_file_is_a_valid_output(row_id: str) -> None:
    """Rows to pass in again name their file as it was planned."""
    (file,) = _files(_plan(_row(2, id=row_id)))
    assert _files(_plan(_row(2, output=file))) == [file]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("x" * 198, "is too long"),
        ("../x.mp4", "leaves the output folder"),
        ("a/../../x.mp4", "leaves the output folder"),
        ("/etc/x.mp4", "is an absolute path"),
        ("C:\\x.mp4", "is an absolute path"),
        ("\\\\host\\x.mp4", "is an absolute path"),
        ("a/", "names a folder"),
        ("con.mp4", "is no file name on every system"),
        ("ab:c.mp4", "is no file name on every system"),
        (".hidden/x.mp4", "is no file name on every system"),
        ("x.mov", "ends in .mov and the video is mp4"),
    ],
)
def test_an_output_that_is_no_file_in_the_folder_is_refused(output: str, says: str) -> None:
    """What the user wrote is never changed behind their back, and never leaves the folder."""
    text = _refused(_row(2, output=output))
    assert "a.csv, line 2: output" in text
    assert says in text


def test_the_extension_follows_the_output_format() -> None:
    """A 2.5 row may ask for mov."""
    plan = _plan(
        _row(2, id="a", model="seedance2-5", output_format="mov"),
        _row(3, id="b", model="seedance2-5"),
        catalogue=Catalogue.LATEST,
    )
    assert _files(plan) == ["a.mov", "b.mp4"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{id}.mp4", "a_b.mp4"),
        ("{index:04}-{prompt}", "0001-a-lake.mp4"),
        ("{#scene}/{id}", "one_two/a_b.mp4"),
        ("{scene}\\take {index}.mp4", "one_two/take 1.mp4"),
        ("./x/{index}", "x/1.mp4"),
        ("{index}:..", "1_.mp4"),
    ],
)
def test_patterns(pattern: str, expected: str) -> None:
    """Separators of the pattern make folders, those of values do not, and no pattern leaves the folder."""
    plan = _plan(_row(2, id="a/b", carried={"#scene": "one/two"}), name=pattern)
    assert _files(plan) == [expected]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("{id", "is broken"),
        ("{task_id}.mp4", "not known before the video is paid for"),
        ("{}", "has a field that is none"),
        ("{id!r}", "has a field that is none"),
        ("{id:5}", "only {index} has one"),
        ("{index:x y}", "no number format"),
        ("  ", "is empty"),
        ("../{index}.mp4", "leaves the output folder"),
        ("x/../{index}", "leaves the output folder"),
        ("{index}\\..\\x", "leaves the output folder"),
        ("/videos/{index}", "is an absolute path"),
        ("C:{index}", "is an absolute path"),
        ("{id}", "uses {id}, and no row has an id"),
        ("{#scene}", "uses the column #scene, and no row has it"),
        ("{prompt}.mov", "ends in .mov and the video is mp4"),
    ],
)
def test_a_pattern_that_cannot_name_a_row_is_refused(pattern: str, says: str) -> None:
    """Whatever a name is made of has to exist before anything is sent, and is never changed behind a user's back."""
    assert says in _refused(_row(2), name=pattern)


@pytest.mark.parametrize(
    ("rows", "name", "says"),
    [
        ((_row(2, output="a.mp4"), _row(3, output="A.MP4")), None, "line 3: output: A.MP4 is the file of line 2"),
        ((_row(2, id="a/b"), _row(3, id="a:b")), None, "is the file of line 2 as well"),
        ((_row(2), _row(3)), "{prompt}", "is the file of line 2 as well"),
        ((_row(2, output="a.mp4"), _row(3, output="a.mp4/b.mp4")), None, "needs a folder where the file of line 2"),
    ],
)
def test_two_rows_for_one_file_are_refused(rows: tuple[Row, ...], name: str | None, says: str) -> None:
    """Also where only a file system that ignores capitals would see one file."""
    assert says in _refused(*rows, name=name)


def test_the_plan_says_what_it_will_do() -> None:
    """Videos, exact credits, time at the known limit, what only one catalogue knows, what was skipped."""
    source = _source(
        _row(2, duration=5), _row(3, duration=10, upscale_resolution="4k"), _row(4, extra={"real": True}), comments=3
    )
    plan = make_plan(source, defaults={}, catalogue=Catalogue.CLASSIC)
    lines = describe_plan(plan, 2)
    # 83 credits per second at 1080p, 28 more for the upscale (seed page).
    assert plan.quote.credits == Decimal(83 * 20 + 28 * 10)
    assert lines[0].startswith("3 videos, 1,940 credits, about ")
    assert lines[0].endswith("with 2 at a time; read as CSV")
    assert lines[1:] == (
        "upscale_resolution: only the classic catalogue knows this",
        "real: no catalogue knows this; it is sent as given",
        "lines starting with '#' that were skipped: 3",
    )


def test_time_is_the_sum_over_the_slots_but_never_less_than_one_task() -> None:
    """More slots than rows do not make a video faster."""
    plan = _plan(*(_row(line, f"lake {line}") for line in range(2, 12)))
    one = plan.rows[0].request.typical_seconds
    assert plan.seconds(1) == pytest.approx(10 * one)
    assert plan.seconds(5) == pytest.approx(2 * one)
    assert plan.seconds(50) == pytest.approx(one)


def test_a_budget_says_how_many_rows_fit() -> None:
    """In the order of the file; and the plan can be cut to them."""
    plan = _plan(*(_row(line, f"lake {line}") for line in range(2, 6)))
    assert judge_budget(plan, Decimal(1660)).fits
    verdict = judge_budget(plan, Decimal("1659.5"))
    assert (verdict.fits, verdict.fitting) == (False, 3)
    assert verdict.message == (
        "the budget of 1,659.5 credits is enough for the first 3 of 4 rows; all of them need 1,660"
    )
    none = judge_budget(plan, Decimal(1)).message
    assert none == "the budget of 1 credits is not enough for even the first of 4 rows; all of them need 1,660"
    one = judge_budget(plan.first(1), Decimal(1)).message
    assert one == "the budget of 1 credits is not enough for the 1 row; it needs 415"
    fewer = plan.first(verdict.fitting)
    assert judge_budget(fewer, Decimal("1659.5")).fits
    assert (len(fewer.rows), fewer.quote.credits) == (3, Decimal(1245))


def test_rows_without_a_price_are_refused_under_a_budget() -> None:
    """The lines are named, because leaving them out is a way on."""
    spec = Catalogue.CLASSIC.model("seedance2-fast")
    unpriced = Catalogue.CLASSIC.with_model(evolve(spec, prices=evolve(spec.prices, rates={})))
    plan = _plan(_row(2), _row(3, "b", model="seedance2-fast"), _row(4, "c"), catalogue=unpriced)
    verdict = judge_budget(plan, Decimal(10**6))
    assert (verdict.fits, verdict.fitting) == (False, 1)
    assert verdict.message is not None
    assert "rows of unknown price: lines 3 (" in verdict.message
    assert "830 credits and 1 row of unknown price" in describe_plan(plan, 5)[0]


def test_many_problems_are_shown_up_to_a_number() -> None:
    """Twenty lines are enough to see the pattern; the rest is counted."""
    problems = [Problem(f"line {number}", "is wrong") for number in range(25)]
    lines = describe_problems(problems)
    assert len(lines) == 21
    assert lines[-1] == "... and 5 more"
    assert describe_problems(problems[:20])[-1] == "line 19: is wrong"


def test_cells_become_values_and_those_that_cannot_are_one_problem_each() -> None:
    """Text of a table is read by the field it stands under."""
    plan = plan_of_csv(
        ["prompt,duration,images,extra", 'a lake,8.0,https://a.example/1.png  https://a.example/2.png,"{""x"": 1}"']
    )
    inputs = plan.rows[0].inputs
    assert isinstance(inputs, OmniReference)
    assert (inputs.duration, inputs.images) == (8, ("https://a.example/1.png", "https://a.example/2.png"))
    assert dict(inputs.extra) == {"x": 1}
    with pytest.raises(InputError) as caught:
        plan_of_csv(["prompt,duration,aspect_ratio", "a lake,5s,7:3"])
    assert [problem.path for problem in caught.value.problems] == [
        "rows.csv, line 2: duration",
        "rows.csv, line 2: aspect_ratio",
    ]


def test_a_price_that_is_settled_later_is_said() -> None:
    """A 2.5 row with a reference video is billed by the video's length: the plan says so before anything is sent."""
    video = ("https://a.example/1.mp4",)
    plan = _plan(_row(2, model="seedance2-5", videos=video), catalogue=Catalogue.LATEST)
    assert any("settled afterwards on the length of the given video" in line for line in describe_plan(plan, 1))


@pytest.mark.parametrize(
    ("rows", "at_once", "says"),
    [(1, 1, "minutes with 1"), (1000, 5, "hours with 5")],
)
def test_time_is_told_in_the_unit_that_fits(rows: int, at_once: int, says: str) -> None:
    """Nobody wants to read 9,000 minutes."""
    plan = _plan(*(_row(line, f"lake {line}") for line in range(2, rows + 2)))
    assert says in describe_plan(plan, at_once)[0]


def test_problems_are_told_from_the_top_of_the_file_down() -> None:
    """A wrong cell in line 3 comes after a wrong value in line 2, although it is found before it."""
    with pytest.raises(InputError) as error:
        plan_of_csv(["prompt,duration,aspect_ratio", "a,5,16x9", "b,5s,"])
    assert [problem.path.split(", ")[1] for problem in error.value.problems] == [
        "line 2: aspect_ratio",
        "line 3: duration",
    ]
