"""The Android backend on a real JVM, against the stand-in library of `tests/java`.

`test_pte_android.py` runs this file in a process of its own: a process starts Java once, with one
class path, and torch and the JVM do not share one here. The class path is in `STUB_CLASSES`.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jnius_config
import numpy as np
import pytest

from export.sign import sign_bundle
from hemx_core.bundle.load import load_models
from hemx_core.errors import BackendError, IntegrityError
from hemx_core.manifest import ModelManifest, ProgramSpec, TensorSpec
from hemx_core.runtime import android as _java_library
from hemx_core.runtime import android as pte_android
from hemx_core.runtime.android import AAR_VERSION, AndroidBackend, JavaClasses, java_classes
from tests.factories import write_fake_bundle
from tests.hemx_core.runtime.contract import ProgramContract, example_inputs

jnius_config.set_classpath(os.environ["STUB_CLASSES"])
jnius_config.add_options("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

IMAGE = TensorSpec("image", (1, 1, 64, 64), "float32", "batch, channel, row, column")
FEATURES = TensorSpec("features", (1, 4), "float32", "batch, channel")


def write_program(path: Path, spec: ProgramSpec, *lines: str) -> ProgramSpec:
    """A program for the stand-in library, of a specification's shapes, and its specification."""
    shapes = [f"in {_size(tensor)}" for tensor in spec.inputs]
    shapes += [f"out {_size(tensor)}" for tensor in spec.outputs]
    content = b"\0\0\0\0ET12" + "\n".join([*shapes, *lines]).encode()
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return replace(spec, file=path.name, sha256=digest, bytes=len(content))


def _size(tensor: TensorSpec) -> str:
    return ",".join(str(length) for length in tensor.shape)


def specification(
    *, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> ProgramSpec:
    return ProgramSpec("", "", 0, inputs, outputs)


SEGMENTER = specification(inputs=(IMAGE,), outputs=(replace(IMAGE, name="mask"), FEATURES))
CLASSIFIER = specification(
    inputs=(IMAGE, FEATURES), outputs=(replace(FEATURES, name="logits"), FEATURES)
)


@pytest.fixture
def java() -> JavaClasses:
    return java_classes()


@pytest.fixture
def pool(java: JavaClasses) -> Any:
    """The stand-in's view of the native side."""
    import jnius

    return jnius.autoclass("org.pytorch.executorch.ThreadPool")


@pytest.fixture(autouse=True)
def _close_what_a_test_left_open() -> Iterator[None]:
    yield
    for program in list(pte_android._open_programs):
        program.close()


class TestAndroidBackend(ProgramContract):
    @pytest.fixture
    def backend(self) -> AndroidBackend:
        return AndroidBackend(threads=2)

    @pytest.fixture
    def program_file(self, tmp_path: Path) -> tuple[Path, ProgramSpec]:
        path = tmp_path / "classifier.pte"
        return path, write_program(path, CLASSIFIER)


class TestWithoutBulkCopy(TestAndroidBackend):
    """Libraries before `copyDataInto`: outputs come as Python lists."""

    @pytest.fixture(autouse=True)
    def _old_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(JavaClasses, "copies_in_bulk", False)


@pytest.fixture
def segmenter(tmp_path: Path) -> tuple[Path, ProgramSpec]:
    path = tmp_path / "segmenter.pte"
    return path, write_program(path, SEGMENTER)


def test_the_stand_in_is_as_treacherous_as_the_library(
    java: JavaClasses, segmenter: tuple[Path, ProgramSpec]
) -> None:
    """Else the contract would prove nothing: outputs alias, other buffers and shapes are refused."""
    module = java.module.load(str(segmenter[0]), 1, 2)
    make = getattr(java.evalue, "from")

    def run(value: float) -> Any:
        array = [value] * 64 * 64
        return module.execute("forward", make(java.tensor.fromBlob(array, [1, 1, 64, 64])))

    first = run(1.0)[0].toTensor()
    before = first.getDataAsFloatArray()[0]
    run(2.0)
    assert first.getDataAsFloatArray()[0] != before, "the next call overwrites an output"
    heap = java.byte_buffer.allocate(16).order(java.byte_order.nativeOrder())
    with pytest.raises(java.exception, match="direct"):
        java.tensor.fromBlob(heap.asFloatBuffer(), [1, 4])
    swapped = java.byte_buffer.allocateDirect(16).order(java.byte_order.BIG_ENDIAN)
    with pytest.raises(java.exception, match="byte order"):
        java.tensor.fromBlob(swapped.asFloatBuffer(), [1, 4])
    with pytest.raises(java.exception, match="0x10"):
        module.execute("forward", make(java.tensor.fromBlob([0.0] * 4, [1, 4])))
    module.destroy()
    assert np.isnan(first.getDataAsFloatArray()[0]), "destroying frees an output"
    with pytest.raises(java.exception, match="destroyed"):
        module.getMethods()


def test_outputs_are_what_the_library_computed(segmenter: tuple[Path, ProgramSpec]) -> None:
    program = AndroidBackend(threads=2).open(*segmenter)
    image = example_inputs(program.spec)[0]
    mask, features = program([image])
    np.testing.assert_allclose(mask, image.mean() + image, atol=1e-5)
    np.testing.assert_allclose(features[0], image.mean() + 2 * image.ravel()[:4], atol=1e-5)


def test_maps_the_file_and_passes_the_threads(
    pool: Any, java: JavaClasses, segmenter: tuple[Path, ProgramSpec]
) -> None:
    before = pool.openModules()
    program = AndroidBackend(threads=3).open(*segmenter)
    assert pool.lastLoadMode() == java.module.LOAD_MODE_MMAP
    assert pool.threads() == 3
    assert pool.openModules() == before + 1
    program.close()
    assert pool.openModules() == before
    AndroidBackend().open(*segmenter).close()
    assert pool.threads() == max(1, (os.cpu_count() or 1) // 2)


def test_the_thread_pool_does_not_change_under_an_open_program(
    pool: Any, segmenter: tuple[Path, ProgramSpec]
) -> None:
    program = AndroidBackend(threads=2).open(*segmenter)
    with pytest.raises(BackendError, match="2 threads"):
        AndroidBackend(threads=1).open(*segmenter)
    with pytest.raises(BackendError, match="own number"):
        AndroidBackend().open(*segmenter)
    assert pool.threads() == 2
    assert len(program(example_inputs(program.spec))) == 2
    program.close()
    assert AndroidBackend(threads=1).open(*segmenter).threads == 1


def test_buffers_are_pooled(pool: Any, segmenter: tuple[Path, ProgramSpec]) -> None:
    program = AndroidBackend(threads=2).open(*segmenter)
    before, runs = pool.directBuffers(), pool.executions()
    for seed in range(10):
        program(example_inputs(program.spec, seed))
    assert pool.executions() == runs + 10
    assert pool.directBuffers() <= before


@pytest.mark.parametrize(
    ("lines", "error", "words"),
    [
        (["fail-load 35"], BackendError, r"0x23.*built together"),
        (["fail-load 33"], BackendError, r"0x21.*close other apps"),
        (["fail-method 20"], BackendError, r"0x14.*last entry.*built together"),
        (["fail-method 48"], BackendError, r"0x30"),
        (["fail-method 1"], BackendError, r"0x1\b.*self-test"),
        (["method other"], BackendError, r"forward"),
        (["fail-execute 33"], BackendError, r"0x21.*last entry.*close other apps"),
        (["out 1,4"], IntegrityError, r"3 outputs.*2"),
    ],
)
def test_what_the_library_refuses_at_opening(
    pool: Any, tmp_path: Path, lines: list[str], error: type[Exception], words: str
) -> None:
    path = tmp_path / "bad.pte"
    spec = write_program(path, SEGMENTER, *lines)
    before = pool.openModules()
    with pytest.raises(error, match=f"(?s)bad\\.pte.*{words}"):
        AndroidBackend(threads=2).open(path, spec)
    assert pool.openModules() == before, "what was loaded is destroyed again"


def test_a_failure_in_a_later_run_is_told_and_leaves_a_closable_program(
    pool: Any, tmp_path: Path
) -> None:
    path = tmp_path / "tired.pte"
    spec = write_program(path, SEGMENTER, "fail-execute 1", "fail-after 2")
    before = pool.openModules()
    program = AndroidBackend(threads=2).open(path, spec)
    program(example_inputs(spec))
    with pytest.raises(BackendError, match=r"0x1\b.*last entry"):
        program(example_inputs(spec))
    program.close()
    assert pool.openModules() == before


def test_refuses_a_program_of_other_inputs_than_the_manifest_says(
    segmenter: tuple[Path, ProgramSpec],
) -> None:
    path, spec = segmenter
    wider = replace(spec, inputs=(replace(IMAGE, shape=(1, 1, 32, 32)),))
    with pytest.raises(IntegrityError, match="0x10"):
        AndroidBackend(threads=2).open(path, wider)
    more = replace(spec, inputs=(IMAGE, FEATURES))
    with pytest.raises(IntegrityError, match="0x12"):
        AndroidBackend(threads=2).open(path, more)


def test_refuses_a_program_of_other_outputs_than_the_manifest_says(
    tmp_path: Path, segmenter: tuple[Path, ProgramSpec]
) -> None:
    path, spec = segmenter
    other = replace(spec, outputs=(spec.outputs[0], replace(FEATURES, shape=(1, 8))))
    with pytest.raises(IntegrityError, match=r"features of shape \(1, 4\)"):
        AndroidBackend(threads=2).open(path, other)
    long = tmp_path / "long.pte"
    only_mask = specification(inputs=(IMAGE,), outputs=spec.outputs[:1])
    written = write_program(long, only_mask, "out-int64 1,4")
    with pytest.raises(IntegrityError, match="INT64"):
        AndroidBackend(threads=2).open(long, replace(written, outputs=spec.outputs))


def test_a_tablet_without_memory_for_the_buffers_is_told_so(
    pool: Any, segmenter: tuple[Path, ProgramSpec]
) -> None:
    path, spec = segmenter
    before = pool.openModules()
    huge = replace(spec, inputs=(replace(IMAGE, shape=(1, 1, 16384, 16384)),))
    with pytest.raises(BackendError, match=r"OutOfMemoryError.*close other apps"):
        AndroidBackend(threads=2).open(path, huge)
    assert pool.openModules() == before


def test_refuses_types_that_it_does_not_pass(segmenter: tuple[Path, ProgramSpec]) -> None:
    path, spec = segmenter
    half = replace(spec, inputs=(replace(IMAGE, dtype="float16"),))
    with pytest.raises(BackendError, match="float16"):
        AndroidBackend(threads=2).open(path, half)


def in_thread(action: Any) -> list[Any]:
    """What an action returned or raised on a thread of its own."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(action())
        except BackendError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found


def test_the_first_backend_is_made_on_the_main_thread(segmenter: tuple[Path, ProgramSpec]) -> None:
    java_classes.cache_clear()
    (refused,) = in_thread(AndroidBackend)
    assert isinstance(refused, BackendError)
    assert "main thread" in str(refused)
    AndroidBackend()
    (program,) = in_thread(lambda: AndroidBackend(threads=2).open(*segmenter))
    (outputs,) = in_thread(lambda: program(example_inputs(program.spec)))
    for one, two in zip(outputs, program(example_inputs(program.spec)), strict=True):
        np.testing.assert_array_equal(one, two)


def test_threads_take_turns(segmenter: tuple[Path, ProgramSpec]) -> None:
    """Two threads on each of two programs get what each would get alone."""
    backend = AndroidBackend(threads=2)
    programs = [backend.open(*segmenter), backend.open(*segmenter)]
    inputs = [example_inputs(segmenter[1], seed) for seed in range(4)]
    alone = [programs[0](one) for one in inputs]
    wrong: list[int] = []

    def run(index: int) -> None:
        for _ in range(20):
            outputs = programs[index % 2](inputs[index])
            if not all(map(np.array_equal, outputs, alone[index])):
                wrong.append(index)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong, "one call's numbers came out of another"


def test_an_app_without_the_library_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_java_library, "PACKAGE", "org.pytorch.nowhere")
    java_classes.cache_clear()
    with pytest.raises(BackendError, match="gradle"):
        AndroidBackend()
    java_classes.cache_clear()


def test_a_bundle_loads_and_runs(tmp_path: Path) -> None:
    manifest: ModelManifest = write_fake_bundle(tmp_path, size=64, crop_size=32)
    manifest = replace(
        manifest,
        executorch=AAR_VERSION,
        segmenter=write_program(tmp_path / "segmenter.pte", manifest.segmenter),
        classifier=write_program(tmp_path / "classifier.pte", manifest.classifier),
    )
    manifest.save(tmp_path)
    sign_bundle(tmp_path)
    image = np.random.default_rng(0).random((64, 64), np.float32)
    with load_models(tmp_path, AndroidBackend(threads=2)) as models:
        probabilities, features = models.segment(image)
        logits, cam = models.classify(image[:32, :32], features)
    assert models.backend_name == "executorch-android"
    assert (probabilities.shape, features.shape) == ((64, 64), (4,))
    assert (logits.shape, cam.shape) == ((4,), (4, 8, 8))
    replace(manifest, executorch="1.4.1").save(tmp_path)
    sign_bundle(tmp_path)
    with pytest.raises(BackendError, match=r"1\.4\.1"):
        load_models(tmp_path, AndroidBackend(threads=2))
