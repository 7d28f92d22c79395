"""Media are http(s) URLs, as many and of such kinds as the model takes, and the prompt names only what is there."""

from typing import Any

import pytest

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import (
    ImageToVideo,
    Inputs,
    OmniReference,
    TextToVideo,
    VideoEdit,
    VideoExtend,
)
from seedance_async.core.request import prepare
from seedance_async.errors import InputError, Problem

CLASSIC, LATEST = Catalogue.CLASSIC, Catalogue.LATEST
URL = "https://cdn.example/cat.png"
CLIP = "https://cdn.example/cat.mp4"
SONG = "https://cdn.example/cat.mp3"


def problem_of(inputs: Inputs, catalogue: Catalogue = CLASSIC) -> Problem:
    with pytest.raises(InputError) as caught:
        prepare(inputs, catalogue)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    "url",
    [
        "cat.png",
        "/home/me/cat.png",
        "C:\\cats\\cat.png",
        "file:///home/me/cat.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "s3://bucket/cat.png",
        "https://",
        "https:///cat.png",
        "https://cdn example/cat.png",
        "https://cdn.example/a cat.png",
        "https://cdn.example/cat.png\n",
        "https://[::1/cat.png",
        "https://cdn.example:99999/cat.png",
        "",
        None,
        5,
    ],
)
def test_no_url(url: Any) -> None:
    """A file name, a data URL or anything else that is no http(s) URL is refused with what is wanted."""
    problem = problem_of(OmniReference("a lake", images=[URL, url]))
    assert problem.path == "images[1]"
    assert "must be an http(s) URL of an image" in problem.message
    local = isinstance(url, str) and ("://" not in url or url.startswith("file:"))
    data = isinstance(url, str) and url.startswith("data:")
    assert ("use Path for a local file" in problem.message) is (local and not data)
    assert ("as bytes" in problem.message) is data


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "http://127.0.0.1:8000/cat",
        "HTTPS://CDN.EXAMPLE/CAT.JPG",
        "https://cdn.example/cat.jpeg?sig=a.mp4#x.mp3",
        "https://cdn.example/",
        "https://cdn.example",
        "https://cdn.example/.png",
        "https://cdn.example/image.v2",
        "https://münchen.example/katze",
        "https://[::1]/cat.webp",
    ],
)
def test_urls(url: str) -> None:
    """URLs with any host pass, with an accepted extension or with none."""
    prepare(OmniReference("a lake", images=[url]), CLASSIC)


@pytest.mark.parametrize("field", ["images", "videos", "audios"])
def test_a_bare_string_is_no_list(field: str) -> None:
    """One URL where a list is wanted would be taken apart into letters."""
    media: dict[str, Any] = {"images": [URL], field: "https://cdn.example/x"}
    problem = problem_of(OmniReference("a lake", **media))
    assert problem.path == field
    assert "not a single string: ['https://cdn.example/x']" in problem.message


@pytest.mark.parametrize("value", [5, {URL}, {URL: 1}, b"x"])
def test_no_list_at_all(value: Any) -> None:
    """A set has no order, and other things are no lists."""
    assert problem_of(OmniReference("a lake", images=value)).path == "images"


@pytest.mark.parametrize(
    ("field", "url", "said", "suggestion"),
    [
        ("images", CLIP, ".mp4 is a video", "videos"),
        ("images", SONG, ".mp3 is an audio file", "audios"),
        ("videos", URL, ".png is an image", "images"),
        ("audios", CLIP, ".mp4 is a video", "videos"),
        ("images", "https://cdn.example/cat.GIF", "of type .jpg, .jpeg, .png or .webp", None),
        ("videos", "https://cdn.example/cat.avi", "of type .mp4, .mov or .webm", None),
        ("audios", "https://cdn.example/cat.wma?x=1", "of type .mp3, .wav", None),
    ],
)
def test_extensions(field: str, url: str, said: str, suggestion: str | None) -> None:
    """An extension that is beyond doubt another kind, or a type that is not accepted, is refused."""
    media: dict[str, Any] = {"images": [URL], field: [url]}
    if field == "images":
        media["videos"] = [CLIP]
    problem = problem_of(OmniReference("a lake", **media))
    assert problem.path == f"{field}[0]"
    assert said in problem.message
    assert problem.suggestion == suggestion


def test_types_that_25_does_not_publish() -> None:
    """The 2.5 family names no file types, so only another kind is refused there."""
    prepare(OmniReference("a lake", images=["https://cdn.example/cat.gif"], model="seedance2-5"), LATEST)
    assert problem_of(OmniReference("a lake", images=[CLIP], model="seedance2-5"), LATEST).path == "images[0]"


@pytest.mark.parametrize(
    ("model", "catalogue", "most"),
    [
        ("seedance-20", CLASSIC, {"images": 9, "videos": 3, "audios": 3}),
        ("seedance2.0-mini", LATEST, {"images": 9, "videos": 3, "audios": 3}),
        ("seedance2-5", LATEST, {"images": 30, "videos": 10, "audios": 10}),
    ],
)
@pytest.mark.parametrize("field", ["images", "videos", "audios"])
def test_how_many(field: str, model: str, catalogue: Catalogue, most: dict[str, int]) -> None:
    """As many files of each kind as the model takes, and one more is refused."""
    urls = ["https://cdn.example/x"] * most[field]
    media: dict[str, Any] = {"images": [URL]} | {field: urls}
    prepare(OmniReference("a lake", model=model, **media), catalogue)
    media[field] = [*urls, "https://cdn.example/x"]
    problem = problem_of(OmniReference("a lake", model=model, **media), catalogue)
    assert problem.path == field
    assert problem.message == f"{model} takes at most {most[field]} {field}"
    assert problem.given == f"{most[field] + 1} {field}"


def test_audio_alone() -> None:
    """Audio cannot be the only reference."""
    problem = problem_of(OmniReference("a lake", audios=[SONG]))
    assert (problem.path, problem.message) == (
        "audios",
        "audio cannot be the only reference; add an image or a video",
    )
    prepare(OmniReference("a lake", audios=[SONG], images=[URL]), CLASSIC)
    prepare(OmniReference("a lake", audios=[SONG], videos=[CLIP]), CLASSIC)


def test_no_reference_at_all() -> None:
    """OmniReference without media is text-to-video by another name."""
    assert "TextToVideo" in problem_of(OmniReference("a lake")).message


@pytest.mark.parametrize(
    "inputs", [VideoEdit("a lake", videos=[]), VideoExtend("a lake", videos=[], duration=5, images=[URL])]
)
def test_edit_and_extend_need_a_video(inputs: Inputs) -> None:
    """There is nothing to edit or to continue without a video."""
    assert problem_of(inputs, LATEST).path == "videos"


def test_frames() -> None:
    """Frames are checked like images, each under its own name."""
    with pytest.raises(InputError) as caught:
        prepare(ImageToVideo("a lake", first_frame="cat.png", last_frame=CLIP), CLASSIC)
    assert [(problem.path, problem.suggestion) for problem in caught.value.problems] == [
        ("first_frame", None),
        ("last_frame", None),
    ]


@pytest.mark.parametrize(
    ("prompt", "token", "there"),
    [
        ("@image3 walks", "@image3", "2 images are given"),
        ("@Image3 walks", "@image3", "2 images are given"),
        ("like @IMAGE0", "@image0", "2 images are given"),
        ("like @image3的人", "@image3", "2 images are given"),
        ("to @video2.", "@video2", "one video is given"),
        ("to @audio1!", "@audio1", "no audio is given"),
        ("@image" + "9" * 3000, "@image9999", "2 images are given"),
        ("@image1 (@image12)", "@image12", "2 images are given"),
    ],
)
def test_names_without_media(prompt: str, token: str, there: str) -> None:
    """A prompt that names media which are not given is refused, with how many are."""
    problem = problem_of(OmniReference(prompt, images=[URL, URL], videos=[CLIP]))
    assert problem.path == "prompt"
    assert token in problem.message
    assert there in problem.message
    assert len(problem.message) < 200


@pytest.mark.parametrize(
    "prompt",
    ["@image1 and @Image2 as in @video1", "@images3", "@image", "@image 3", "me@image3.example", "@image3x", "a @b3"],
)
def test_names_with_media(prompt: str) -> None:
    """Names of given media pass, and so does what only resembles a name."""
    prepare(OmniReference(prompt, images=[URL, URL], videos=[CLIP]), CLASSIC)


def test_names_in_text_to_video() -> None:
    """Text-to-video has no media to name."""
    problem = problem_of(TextToVideo("like @image1"))
    assert problem.message == "names '@image1', but no image is given; OmniReference takes references"


def test_names_of_frames() -> None:
    """Frames are images 1 and 2."""
    prepare(ImageToVideo("from @image1 to @image2", first_frame=URL, last_frame=URL), CLASSIC)
    assert "@image2" in problem_of(ImageToVideo("from @image1 to @image2", first_frame=URL)).message


def test_a_name_is_reported_once() -> None:
    """The same wrong name twice is one problem."""
    problem_of(OmniReference("@image2 and @image2 and @IMAGE2", images=[URL]))
