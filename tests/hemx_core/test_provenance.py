import json

from hemx_core import provenance


def test_provenance_names_what_a_reader_needs():
    facts = provenance.provenance(seed=3)
    assert facts["seed"] == 3
    assert facts["versions"]["numpy"]
    assert facts["machine"]["cores"] >= 1
    assert facts["command"]


def test_a_command_names_no_folder_of_the_machine(monkeypatch):
    line = ["/srv/hemx/world.py", "/data/heads", "--out", "results/a.json", "--drawn", "5"]
    monkeypatch.setattr("sys.argv", line)
    assert provenance.provenance()["command"] == "world.py heads --out results/a.json --drawn 5"


def test_merging_keeps_what_another_stage_wrote(tmp_path):
    path = tmp_path / "decision.json"
    provenance.merge_json(path, {"size": 1, "accuracy": {"segmentation": 1}})
    provenance.merge_json(path, {"size": 2, "accuracy": {"markers": 2}, "crop": 3})
    merged = {"size": 2, "accuracy": {"segmentation": 1, "markers": 2}, "crop": 3}
    assert json.loads(path.read_text()) == merged


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "result.json"
    provenance.write_json(path, {"a": "日本"})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "日本"}
    try:
        provenance.write_json(path, {"a": object()})
    except TypeError:
        assert json.loads(path.read_text(encoding="utf-8")) == {"a": "日本"}
    else:
        raise AssertionError("an object is not JSON")
    assert [p.name for p in path.parent.iterdir()] == ["result.json"]
