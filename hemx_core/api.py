"""What `import hemx_core as hemx` offers as functions, and what the commands are made of.

    result = hemx.triage("study/")
    result.save("out/", pdf=True)

Research software, not a medical device.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hemx_core import comparison as pairs
from hemx_core import pairing
from hemx_core import result as results
from hemx_core.bundle import load as bundle
from hemx_core.costs import START_UP, OnSlice, Progress, StageClock
from hemx_core.errors import InputError
from hemx_core.imaging import nifti as nifti_files
from hemx_core.imaging.inspect import as_inspected
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Note
from hemx_core.phantoms.make import Phantom, draw_phantom, write_phantom
from hemx_core.pipeline import TriageModels, TriageSettings, triage_volume
from hemx_core.report import comparison as comparison_report
from hemx_core.report.dicom import DicomWriter, check_dicom
from hemx_core.report.extras import Extras
from hemx_core.report.folder import COMPARISON, MASK_NAME, PDF_NAME, TRIAGE, check_output
from hemx_core.report.referral import ReferralOptions, WrittenReferral, write_referral
from hemx_core.report.write import write_report
from hemx_core.words.report import Texts

Study = str | os.PathLike[str] | HUVolume
"""A folder, a DICOM file, a DICOMDIR or a zip; or a volume."""

Window = HUWindow | tuple[float, float]
"""(lower, upper), HU."""

ModelsOrLoader = TriageModels | Callable[[], bundle.Models]
"""Loaded models, which stay open; or what loads them, once a study has been read."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyShown:
    """What a result's pictures are drawn from.

    Args:
        volume: the triaged volume.
        window: display window, HU.
        source: the path that it was read from; None for a volume that came as an array.
    """

    volume: HUVolume
    window: HUWindow
    source: Path | None


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written.

    Args:
        files: the files, and the folder of overlays.
        result: the result with the cost of drawing its pictures.
        notes: what DICOM objects could not take over of the images.
    """

    files: tuple[Path, ...]
    result: results.TriageResult
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TriageResult(results.TriageResult):
    """The whole answer for one study, which can be saved.

    Args:
        shown: the volume and the window; a reference, not a copy, so that a result that is kept keeps
            its volume in memory.
        language: of what `save` writes, unless it is told another.
    """

    shown: StudyShown
    language: str = "en"

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        pdf: bool = False,
        dicom: bool = False,
        nifti: bool = False,
        language: str | None = None,
        identify: bool = False,
        keep_uids: bool = False,
        on_written: Callable[[results.TriageResult], None] | None = None,
    ) -> Saved:
        """Write result.json, overview.png and the overlays, as `hemx triage --out` does; then the rest.

        All that is asked for is tried, whatever became of the other files.

        Args:
            folder: made where missing; an earlier result in it goes, with all its files.
            pdf: also the referral, referral.pdf and referral.png.
            dicom: also haematoma_seg.dcm and triage_sr.dcm, and with `pdf` referral_pdf.dcm (needs the
                extra `dicom`).
            nifti: also the mask, haematoma.nii.gz (needs the extra `nifti`).
            language: of the referral, "en" or "ja"; by default that of the triage.
            identify: let the files name the patient.
            keep_uids: let DICOM objects that do not name the patient keep the UIDs of the images.
            on_written: told the result, with the cost of its pictures, once it is written and before
                anything beside it is tried.
        Raises:
            InputError: no such language, or DICOM of a volume that was not read from DICOM files.
            BackendError: highdicom or nibabel is not installed.
            OutputError: the folder cannot be used, or the disk refuses.
            ExtrasError: the result is written, something beside it is not.
        """
        language, out, shown = language or self.language, Path(folder), self.shown
        check_save(out, dicom=dicom, nifti=nifti, language=language)
        if dicom and shown.source is None:
            raise InputError("no_files_for_dicom")
        report = write_report(self, shown.volume, out, window=shown.window, identify=identify)
        if on_written is not None:
            on_written(report.result)
        extras = Extras(list(report.named_files))
        options = ReferralOptions(language=language, identify=identify)
        drawn = pdf and extras.attempt("pdf", lambda: _referral(self, out, options).files)
        if nifti:
            path = out.resolve() / MASK_NAME
            extras.attempt(
                "nifti",
                lambda: [nifti_files.write_array(path, self.mask, shown.volume.geometry)],
            )
        notes: tuple[Note, ...] = ()
        if dicom and shown.source is not None:
            writer = DicomWriter(
                self, shown.volume, shown.source, out, identify=identify, keep_uids=keep_uids
            )
            extras.attempt("seg", writer.write_seg)
            extras.attempt("sr", writer.write_sr)
            if drawn:
                title = Texts(language)("title")
                pages = out.resolve() / PDF_NAME
                extras.attempt("pdf_dicom", lambda: writer.write_pdf(pages.read_bytes(), title))
            notes = writer.notes
        extras.tell(notes)
        return Saved(tuple(extras.files), report.result, notes)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComparisonResult(pairs.ComparisonResult):
    """What two studies say together, which can be saved.

    Args:
        earlier, later: both triage results; the later one advises to call if there is expansion.
    """

    earlier: TriageResult
    later: TriageResult

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        pdf: bool = False,
        language: str | None = None,
        identify: bool = False,
        on_written: Callable[[], None] | None = None,
    ) -> tuple[Path, ...]:
        """Write comparison.json and comparison.png, as `hemx compare --out` does; then the rest.

        Args:
            folder: made where missing; an earlier comparison in it goes, with all its files.
            pdf: also the later study's referral, with the growth.
            language: of the referral, "en" or "ja"; by default that of the comparison.
            identify: let the files name the patient.
            on_written: told once the comparison is written and before anything beside it is tried.
        Returns:
            The files.
        Raises:
            InputError: no such language.
            OutputError: the folder cannot be used, or the disk refuses.
            ExtrasError: the comparison is written, something beside it is not.
        """
        language, out, shown = language or self.later.language, Path(folder), self.later.shown
        check_save_comparison(out, language=language)
        written = comparison_report.write_comparison(
            self,
            self.earlier.shown.volume,
            shown.volume,
            out,
            window=shown.window,
            identify=identify,
        )
        if on_written is not None:
            on_written()
        extras = Extras([written.comparison_json, written.picture])
        if pdf:
            options = ReferralOptions(language=language, identify=identify)
            extras.attempt("pdf", lambda: _referral(self.later, out, options, self).files)
        extras.tell()
        return tuple(extras.files)


def _referral(
    result: TriageResult,
    folder: Path,
    options: ReferralOptions,
    comparison: pairs.ComparisonResult | None = None,
) -> WrittenReferral:
    shown = result.shown
    return write_referral(
        result, shown.volume, folder, window=shown.window, comparison=comparison, options=options
    )


def triage(
    study: Study,
    *,
    models: ModelsOrLoader | None = None,
    series: str | None = None,
    window: Window | None = None,
    language: str = "en",
    progress: Progress | None = None,
    on_slice: OnSlice | None = None,
) -> TriageResult:
    """Triage a head CT. No blood found is a result, not an error.

    Args:
        study: a folder, file, DICOMDIR or zip; or a volume.
        models: what `load_models` gave, for many studies; by default the shipped models are loaded
            and closed again. A function that loads models is called once the study has been read.
        series: series UID, its unique beginning or end, a series number or a description; by default
            the best axial series without contrast medium.
        window: HU window, (lower, upper); the models' own by default.
        language: of what `save` writes, "en" or "ja".
        progress: called with a stage's name, how much is done and how much there is; what it raises
            ends the triage.
        on_slice: given every slice as it is segmented, those with blood again when classified.
    Raises:
        DicomSeriesError: no usable series.
        NotHUError: the volume's values are not Hounsfield units.
        NotHeadError: it shows no head with a brain in it.
        ModelError: the models cannot be loaded or run.
        InputError: no such language, or a window of other than two numbers or too far from the
            models' own.

    Example:
        result = hemx.triage("study/")
        result.haematoma.volume_ml, result.markers["blend"].present
    """
    ReferralOptions(language=language)  # refuses a language that there is not
    settings, clock = TriageSettings(window=_window(window)), StageClock()
    if isinstance(study, HUVolume):
        volume, source = study, None
    else:
        source = Path(study)
        with clock.stage("read"):
            volume = read_series(source, series=series, progress=progress)
    with _opened(models, clock) as loaded:
        result = triage_volume(
            volume, loaded, settings=settings, progress=progress, on_slice=on_slice, clock=clock
        )
        shown = _shown(volume, source, settings, loaded, result)
    return TriageResult(**_fields(result), shown=shown, language=language)


def compare(
    earlier: Study,
    later: Study,
    *,
    models: ModelsOrLoader | None = None,
    window: Window | None = None,
    language: str = "en",
    force: bool = False,
    progress: Progress | None = None,
) -> ComparisonResult:
    """Compare the haematoma of two studies of one patient.

    Args:
        earlier, later: folders, files, DICOMDIRs or zips; or volumes.
        models, window, language, progress: see `triage`.
        force: compare although the patients differ.
    Raises:
        InputError: two patients or one series given twice, and not forced; no such language.
        DicomSeriesError, NotHeadError, ModelError: see `triage`.

    Example:
        hemx.compare("earlier/", "later/").growth
    """
    ReferralOptions(language=language)
    settings = TriageSettings(window=_window(window))
    sources = [None if isinstance(study, HUVolume) else Path(study) for study in (earlier, later)]
    first, second = (
        study if isinstance(study, HUVolume) else read_series(study, progress=progress)
        for study in (earlier, later)
    )
    # Before the models are loaded: two patients are refused at once.
    pairing.check_pair(first.identity, second.identity, force=force)
    with _opened(models, StageClock()) as loaded:
        result = pairs.compare_volumes(
            first, second, loaded, settings=settings, force=force, progress=progress
        )
        shown = [
            _shown(volume, source, settings, loaded, study)
            for volume, source, study in zip(
                (first, second), sources, (result.earlier, result.later), strict=True
            )
        ]
    studies = {
        name: TriageResult(**_fields(getattr(result, name)), shown=study, language=language)
        for name, study in zip(("earlier", "later"), shown, strict=True)
    }
    return ComparisonResult(**_fields(result) | studies)


def phantom(
    *,
    seed: int = 0,
    location: str | None = None,
    side: str | None = None,
    volume_ml: float | None = None,
    markers: Iterable[str] | None = None,
    growth: float | None = None,
    lesion: bool = True,
    site: int | None = None,
    matrix: int = 512,
    slices: int | None = None,
    on_threshold: bool = False,
    out: str | os.PathLike[str] | None = None,
) -> Phantom:
    """Make a synthetic head CT with its truth: `.volume`, `.mask`, `.slice_markers`.

    Args:
        seed: another seed is another patient.
        location: putamen, thalamus or subcortical; drawn by default.
        side: left or right, the patient's; drawn by default.
        volume_ml: of the haematoma; drawn by default.
        markers: codes of exactly the markers to show; drawn by default.
        growth: adds `.follow_up`, hours later, its haematoma this many times as large.
        lesion: False for a head without haematoma.
        site: a scanner's number, from 1; by default it follows from the seed.
        matrix: rows and columns.
        slices: by default the whole head.
        on_threshold: contrasts of blend sign and black hole on their limits.
        out: also write DICOM, truth.json and the true masks into this folder.
    Raises:
        InputError: an unknown marker, or a clot too small to show what is asked for.
        VolumeError: an unknown location or side.
        OutputError: the folder cannot be written.
    """
    made = draw_phantom(
        seed=seed,
        location=location,
        side=side,
        volume_ml=volume_ml,
        markers=markers,
        growth=growth,
        lesion=lesion,
        site=site,
        matrix=matrix,
        slices=slices,
        on_threshold=on_threshold,
    )
    if out is not None:
        write_phantom(made.studies, Path(out))
    return made


def check_save(
    folder: str | os.PathLike[str],
    *,
    dicom: bool = False,
    nifti: bool = False,
    language: str = "en",
) -> None:
    """Refuse what `TriageResult.save` could not write, before the work starts.

    Raises:
        InputError, BackendError, OutputError: see `TriageResult.save`.
    """
    ReferralOptions(language=language)
    check_output(Path(folder), TRIAGE)
    if dicom:
        check_dicom()
    if nifti:
        nifti_files.nibabel_module()


def check_save_comparison(folder: str | os.PathLike[str], *, language: str = "en") -> None:
    """Refuse what `ComparisonResult.save` could not write, before the work starts.

    Raises:
        InputError, OutputError: see `ComparisonResult.save`.
    """
    ReferralOptions(language=language)
    check_output(Path(folder), COMPARISON)


@contextmanager
def _opened(models: ModelsOrLoader | None, clock: StageClock) -> Iterator[TriageModels]:
    """Models that were given stay open; those loaded here are timed, and closed again."""
    if models is not None and not callable(models):
        yield models
        return
    with clock.stage(START_UP):
        loaded = (models or bundle.load_models)()
    with loaded:
        yield loaded


def _shown(
    volume: HUVolume,
    source: Path | None,
    settings: TriageSettings,
    models: TriageModels,
    result: results.TriageResult,
) -> StudyShown:
    volume = as_inspected(volume, result.clipped_to_hu, result.notes)
    window = settings.window or models.manifest.preprocessing.window
    return StudyShown(volume=volume, window=window, source=source)


def _window(window: Window | None) -> HUWindow | None:
    if window is None or isinstance(window, HUWindow):
        return window
    try:
        lower, upper = (float(end) for end in window)
    except (TypeError, ValueError) as error:
        raise InputError("window_pair", window=repr(window)) from error
    return HUWindow(lower, upper)


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass's fields by name, not copied."""
    return {part.name: getattr(value, part.name) for part in fields(value)}
