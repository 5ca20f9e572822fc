"""Every error HEMX raises on purpose.

An error on the user's path is a code with values, told in both languages by `hemx_core.words`; what
only developers meet may be an English sentence.

HemxError
├── InputError                 the study or array handed in cannot be used
│   ├── DicomSeriesError       something in a DICOM series
│   │   ├── NoSeriesError          no readable CT series, or no such series
│   │   ├── NotCTError             another modality
│   │   ├── ContrastSeriesError    contrast medium was given
│   │   ├── MissingGeometryError   no pixel spacing, position or orientation
│   │   ├── TooFewSlicesError      not enough axial slices for a volume
│   │   ├── UnreadablePixelsError  pixel data missing, truncated or not decodable here
│   │   └── UnsafeInputError       an archive or directory file that leaves its folder or explodes
│   ├── NotHUError             the values are not Hounsfield units
│   ├── NotHeadError           the volume does not show a head with a brain in it
│   └── VolumeError            an array, spacing or geometry that contradicts itself
├── ModelError                 the model bundle or its runtime
│   ├── ManifestError              manifest missing, of another schema, or wrong
│   │   └── SignatureError         its signature is missing, malformed or wrong
│   │       └── UnknownKeyError    it is signed with a key that is not trusted here
│   ├── IntegrityError             a file's size, hash or magic differs from the manifest
│   ├── BackendError               the runtime is missing, has another version, or failed
│   ├── SelfTestError              the programs compute something else here than where they were made
│   └── ModelInputError            a tensor the graph must not be given (shape, dtype, not finite)
├── DatasetError               training data: missing, inconsistent or leaking between splits
├── TrainingError              a training run that cannot start, resume or converge
├── ExportError                the export
│   ├── FoldError                  a graph the folding pass cannot rewrite exactly
│   ├── DelegationError            an operator fell out of the delegate
│   └── ParityError                the exported graph differs from the trained one beyond its gate
├── BenchmarkError             a benchmark that cannot be run, read or judged
└── OutputError                a result could not be written
    └── ExtrasError                the result is written, something asked for beside it is not
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, NamedTuple

from hemx_core.notes import SENTENCE, Note, Phrase, Value
from hemx_core.words import is_code, is_error_code, tell_error


class HemxError(Exception):
    """Base of all HEMX errors: what was found, what was expected, and what to do.

    Args:
        code: a key of `hemx_core.words.english.ERRORS`; or, for developers, what was found as an
            English sentence without a full stop, with `expected` and `remedy` as values.
        values: what the sentences are filled with; None stands for nothing.
    """

    def __init__(self, code: str, /, **values: Any) -> None:
        said = Phrase(code, **values)
        self.code = code
        self.values = said.values
        self.found, self.expected, self.remedy = self.told("en")
        parts = [self.found.rstrip(".") + "."]
        if self.expected:
            parts.append(f"Expected: {self.expected.rstrip('.')}.")
        if self.remedy:
            parts.append(f"What to do: {self.remedy.rstrip('.')}.")
        super().__init__(" ".join(parts))

    def told(self, language: str) -> tuple[str, str, str]:
        """What was found, what was expected and what to do; a sentence stays English.

        Raises:
            KeyError: a value that a sentence needs is missing.
        """
        return tell_error(self.code, self.values, language)

    @property
    def phrase(self) -> Phrase:
        """What was found, as a part of what another note or error says."""
        if is_error_code(self.code):
            return Phrase(self.code, **self.values)
        return Phrase("stored", **{SENTENCE: self.code})

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.code, dict(self.values))


def cause(error: BaseException) -> Value:
    """What the system says of an error: in words where they are known, else in its own.

    The common reasons of an `OSError` are told in both languages; of the others the English text.
    """
    if isinstance(phrase := getattr(error, "phrase", None), Phrase):
        return phrase
    if isinstance(error, OSError) and error.errno is not None:
        code = f"os.{errno.errorcode.get(error.errno, '')}"
        # Who raises one by hand says more than its number does.
        if is_code(code) and error.strerror == os.strerror(error.errno):
            return Phrase(code)
        return error.strerror or type(error).__name__
    return str(error) or type(error).__name__


def _again(kind: type[HemxError], code: str, values: dict[str, Any]) -> HemxError:
    return kind(code, **values)


class InputError(HemxError):
    """The study or array handed in cannot be used."""


class DicomSeriesError(InputError):
    """Something in a DICOM series is wrong."""


class NoSeriesError(DicomSeriesError):
    """No readable CT series was found, or not the one asked for."""


class NotCTError(DicomSeriesError):
    """The series is of another modality."""


class ContrastSeriesError(DicomSeriesError):
    """Contrast medium was given; the markers are defined on non-contrast CT."""


class MissingGeometryError(DicomSeriesError):
    """Pixel spacing, position or orientation is missing or impossible."""


class TooFewSlicesError(DicomSeriesError):
    """Not enough axial slices for a volume."""


class UnreadablePixelsError(DicomSeriesError):
    """Pixel data is missing, truncated or cannot be decoded here."""


class UnsafeInputError(DicomSeriesError):
    """An archive or directory file that leaves its folder or expands beyond bounds."""


class NotHUError(InputError):
    """The values are not Hounsfield units."""


class NotHeadError(InputError):
    """The volume does not show a head with a brain in it."""


class VolumeError(InputError):
    """An array, spacing or geometry that contradicts itself."""


class ModelError(HemxError):
    """The model bundle or its runtime cannot be used."""


class ManifestError(ModelError):
    """The manifest is missing, of another schema, or wrong."""


class SignatureError(ManifestError):
    """The manifest's signature is missing, malformed or wrong."""


class UnknownKeyError(SignatureError):
    """The manifest is signed with a key that is not trusted here."""


class IntegrityError(ModelError):
    """A file's size, hash or magic differs from the manifest."""


class BackendError(ModelError):
    """The runtime is missing, has another version, or failed."""


class SelfTestError(ModelError):
    """The programs compute something else here than where they were made, or it could not be tested."""


class ModelInputError(ModelError):
    """A tensor that the graph must not be given."""


class DatasetError(HemxError):
    """Training data is missing, inconsistent or leaks between splits."""


class TrainingError(HemxError):
    """A training run cannot start, resume or converge."""


class ExportError(HemxError):
    """The export failed."""


class FoldError(ExportError):
    """A graph that the folding pass cannot rewrite exactly."""


class DelegationError(ExportError):
    """An operator fell out of the delegate."""


class ParityError(ExportError):
    """The exported graph differs from the trained one beyond its gate."""


class BenchmarkError(HemxError):
    """A benchmark cannot be run, read or judged."""


class OutputError(HemxError):
    """A result could not be written."""


class FailedExtra(NamedTuple):
    """Something asked for beside a result that could not be made.

    Args:
        extra: "pdf", "seg", "sr", "pdf_dicom" or "nifti".
        error: why.
    """

    extra: str
    error: HemxError


class ExtrasError(OutputError):
    """The result is written; some of what was asked for beside it is not.

    Args:
        files: what was written.
        failed: what was not, each with its reason.
        notes: on what was written.
    """

    def __init__(
        self,
        files: tuple[Path, ...],
        failed: tuple[FailedExtra, ...],
        notes: tuple[Note, ...] = (),
    ) -> None:
        self.files, self.failed, self.notes = files, failed, notes
        parts = tuple(Phrase("extra", extra=one.extra, why=one.error.phrase) for one in failed)
        super().__init__("extras_failed", count=len(failed), parts=parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.files, self.failed, self.notes)
