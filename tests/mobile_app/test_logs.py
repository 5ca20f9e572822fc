from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hemx_core.errors import HemxError, NoSeriesError
from hemx_core.imaging.reader import read_series
from mobile_app import logs
from mobile_app.errors import UnexpectedError
from tests.factories import write_ct_series

CANARY = "Yamada^Taro"
CANARIES = ("Yamada", "Taro", "PAT-4711", "4711", "山田")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that is logged into; the hooks are put back."""
    hooks = sys.excepthook, threading.excepthook
    where = tmp_path / "app"
    where.mkdir()
    installed = logs.install(where)
    yield where
    logs.remove(installed)
    assert (sys.excepthook, threading.excepthook) == hooks


def lines(folder: Path) -> list[str]:
    return logs.read_log(folder).splitlines()


def assert_no_patient(folder: Path) -> None:
    for path in folder.iterdir():
        content = path.read_bytes().decode("latin-1")
        for canary in (*CANARIES, str(folder), "/home", "/tmp"):
            assert canary not in content, content


def fail(text: str) -> None:
    raise NoSeriesError(text, expected=f"{CANARY} 山田", remedy="/home/PAT-4711")


def test_an_error_is_its_class_and_its_code_lines(folder: Path) -> None:
    try:
        fail(f"no series of {CANARY} in /home/PAT-4711")
    except HemxError as error:
        logs.error_met(error)
    (line,) = lines(folder)
    assert " ERROR " in line
    assert "NoSeriesError < mobile_app.test_logs:" in line
    assert line.endswith("test_an_error_is_its_class_and_its_code_lines")
    assert_no_patient(folder)


def test_causes_are_told_without_their_texts(folder: Path) -> None:
    try:
        try:
            raise OSError(2, "No such file", f"/home/{CANARY}/PAT-4711.dcm")
        except OSError as error:
            raise UnexpectedError.wrap(error) from error
    except HemxError as error:
        logs.error_met(error)
    (line,) = lines(folder)
    assert "UnexpectedError < " in line
    assert " caused by FileNotFoundError < " in line
    assert_no_patient(folder)


def test_messages_of_libraries_are_not_written(folder: Path) -> None:
    logging.getLogger("pydicom").warning("Invalid value %s for PatientName", CANARY)
    logging.getLogger("kivy").error(f"[Image] Not found </home/{CANARY}/PAT-4711.png>")
    logging.getLogger(CANARY).error("its logger's name", stack_info=True)
    found = lines(folder)
    assert len(found) == 3
    assert all(" mobile_app.test_logs:" in line for line in found)
    assert_no_patient(folder)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_nobody_caught_is_written_and_handed_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        fail(CANARY)
    except HemxError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert CANARY in capsys.readouterr().err, "the program's own output is not the log's business"
    thread = threading.Thread(target=fail, args=(CANARY,))
    thread.start()
    thread.join()
    found = lines(folder)
    assert [" CRITICAL " in line for line in found] == [True, True]
    assert "NoSeriesError" in found[1]
    assert_no_patient(folder)


def test_a_study_of_a_named_patient_leaves_no_trace(folder: Path, tmp_path: Path) -> None:
    """The canary goes through the reader as name, ID, file name and folder name."""
    study = tmp_path / f"{CANARY}_PAT-4711"
    files = write_ct_series(study, patient="PAT-4711", PatientName=CANARY, Modality="MR")
    files[0].rename(study / "Yamada.dcm")
    with pytest.raises(HemxError) as met:
        read_series(study)
    logs.error_met(met.value)
    assert "hemx_core.imaging." in lines(folder)[-1]
    assert_no_patient(folder)


def test_events_are_words_of_the_program_and_numbers(folder: Path) -> None:
    logs.event("triage_done", slices=30, seconds=3.25)
    assert lines(folder)[0].endswith("triage_done slices=30 seconds=3.25")
    for name in (CANARY, "two words", "", "山田"):
        with pytest.raises(ValueError, match="one word"):
            logs.event(name)
    with pytest.raises(ValueError, match="could not convert"):
        logs.event("triage_done", patient=CANARY)  # type: ignore[arg-type]
    assert_no_patient(folder)


def test_files_outside_the_program_lose_their_folders() -> None:
    assert (
        logs.module_of("/data/user/0/org.hemx/files/app/mobile_app/work/jobs.py")
        == "mobile_app.work.jobs"
    )
    assert logs.module_of(f"/home/{CANARY}/lib/pydicom/filereader.py") == "filereader"
    assert logs.module_of("") == ""


def test_it_turns_over_and_keeps_the_newest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8000):
        logs.event("counted", number=number)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["hemx.log", "hemx.log.1", "hemx.log.2"]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 3 * logs.MAXIMUM_BYTES
    found = [line.rpartition("number=")[2] for line in lines(folder)]
    assert found[-1] == "7999"
    assert found == [str(number) for number in range(8000 - len(found), 8000)]


def test_clearing_deletes_and_logging_goes_on(folder: Path) -> None:
    assert logs.read_log(folder / "none") == ""
    logs.event("before")
    logs.clear_log(folder)
    assert lines(folder) == []
    logs.event("after")
    assert len(lines(folder)) == 1
    assert lines(folder)[0].endswith("after")


def test_clearing_works_without_a_running_log(tmp_path: Path) -> None:
    (tmp_path / logs.LOG_NAME).write_text("old\n")
    logs.clear_log(tmp_path)
    assert not list(tmp_path.iterdir())
