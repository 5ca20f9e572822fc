"""The correction of the open result: strokes go in, masks, volume and growth come out."""

from __future__ import annotations

from dataclasses import dataclass

from kivy.event import EventDispatcher
from kivy.properties import NumericProperty, ObjectProperty

from hemx_core.errors import HemxError
from hemx_core.measure.expansion import Growth, judge_growth
from mobile_app.context import AppContext
from mobile_app.errors import NotStoredError
from mobile_app.reading.correction_work import Earlier, find_earlier, save_correction
from mobile_app.reading.mask_editor import MaskEditor, Snapshot, State
from mobile_app.store import Correction
from mobile_app.work.jobs import Outcome, Report

MIN_RADIUS_MM, MAX_RADIUS_MM = 1.0, 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Unstored:
    """A mask on its way to the store."""

    result_id: int
    snapshot: Snapshot


class MaskCorrection(EventDispatcher):
    """Holds the editor of the open result and brings it to the store and back.

    Events:
        on_slices: (indices) masks of these slices are other ones.
        on_standing: volume, growth, or what may be undone or saved is another one.
    """

    editor = ObjectProperty(None, allownone=True)
    earlier = ObjectProperty(None, allownone=True)
    radius_mm = NumericProperty(4.0)

    __events__ = ("on_slices", "on_standing")

    def __init__(self, context: AppContext, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._context = context
        self._result_id: int | None = None
        self._correction_id: int | None = None
        self._saving = False
        self._sent: State | None = None
        self._waiting: list[Unstored] = []
        self.fbind("earlier", lambda *_: self.dispatch("on_standing"))

    @property
    def growth(self) -> Growth | None:
        """From the earlier study to the current mask; None where there is no earlier study."""
        if self.editor is None or self.earlier is None:
            return None
        earlier = self.earlier
        return judge_growth(
            earlier.volume,
            self.editor.estimate(),
            measured=earlier.measured,
            earlier_whole=earlier.whole,
            later_whole=earlier.later_whole,
        )

    @property
    def may_save(self) -> bool:
        """Whether there is something to save, and nothing on its way."""
        return self.editor is not None and self.editor.unsaved and not self._saving

    def open(self) -> None:
        """Take the context's result with its newest correction, unless it is open already."""
        context, correction = self._context, self._context.correction
        if correction is not None and correction.result_id != context.result_id:
            correction = None
        wanted = None if correction is None else correction.id
        same = self.editor is not None and self._result_id == context.result_id
        if same and (wanted in (None, self._correction_id) or self.editor.unsaved):
            return
        self._result_id, self._correction_id, self._saving = context.result_id, wanted, False
        result = context.result
        self.editor = MaskEditor(
            result.mask,
            result.geometry,
            saved=None if correction is None else correction.mask,
            strokes=() if correction is None else correction.strokes,
        )
        self.find_earlier()
        self.dispatch("on_standing")

    def close(self) -> None:
        """Close the result; unsaved changes are saved as a version, since nobody may be there to ask."""
        if self.editor is not None and self.editor.unsaved and self._result_id is not None:
            self._save(self.editor.snapshot(), leaves=True)
        self.editor = self._result_id = self._correction_id = self.earlier = None
        self.dispatch("on_standing")

    def find_earlier(self) -> None:
        """Look for an earlier study to measure growth against."""
        study_id, result_id = self._context.study_id, self._result_id
        if study_id is None or self.editor is None:
            return

        def take(outcome: Outcome[Earlier | None]) -> None:
            if self._result_id == result_id and self.editor is not None:
                self.earlier = outcome.value

        work = find_earlier(self._context.store, int(study_id))
        self._context.jobs.run(work, on_error=self._tell_unless_deleted, on_done=take)

    def stroke(self, phase: str, index: int, row: float, column: float, *, erases: bool) -> None:
        """Take a part of a stroke from the viewer; see `SliceViewer.on_stroke`."""
        editor = self.editor
        if editor is None:
            return
        if phase == "begin":
            editor.begin(index, (row, column), radius_mm=self.radius_mm, erases=erases)
        elif phase == "move":
            editor.extend((row, column))
        elif phase == "cancel":
            editor.cancel()
        else:
            editor.end()
        self._changed((index,))

    def undo(self) -> None:
        """Undo the last step."""
        self._changed(self.editor.undo())

    def redo(self) -> None:
        """Do the last undone step again."""
        self._changed(self.editor.redo())

    def discard(self) -> None:
        """Back to what was saved last; can be undone."""
        self._changed(self.editor.discard())

    def to_network(self) -> None:
        """Back to the network's mask; can be undone, and is saved like any correction."""
        self._changed(self.editor.to_network())

    def save(self) -> None:
        """Store the mask as a new version; the result stays."""
        if self.may_save:
            self._saving = True
            drawn = self.editor.snapshot()
            self._sent = drawn.state
            self._save(drawn, leaves=False)
            self.dispatch("on_standing")

    def keep(self, *, ends: bool = False) -> None:
        """Store here and now what is drawn, or waits for the worker: the app may not come back.

        Args:
            ends: the app ends: nothing is told to the screens any more.
        """
        for unstored in list(self._waiting):
            if self._claim(unstored):
                self._keep(unstored, ends=ends)
        editor = self.editor
        if editor is None:
            return
        drawn = editor.snapshot()
        in_hand = self._saving and self._sent is drawn.state  # the worker stores just that
        if editor.unsaved and not in_hand and self._result_id is not None:
            self._keep(Unstored(int(self._result_id), drawn), ends=ends)

    def _keep(self, unstored: Unstored, *, ends: bool) -> None:
        store, editor = self._context.store, self.editor
        try:
            correction = save_correction(store, unstored.result_id, unstored.snapshot)(None)
        except HemxError as error:
            self._tell_unless_deleted(error)
            return
        if editor is None or self._result_id != unstored.result_id:
            return
        if ends:
            editor.mark_saved(unstored.snapshot)
        else:
            self._saved(unstored.snapshot, correction)

    def _claim(self, unstored: Unstored) -> bool:
        """Whether this thread stores it; the worker and the interface may both want to."""
        try:
            self._waiting.remove(unstored)
        except ValueError:
            return False
        return True

    def _save(self, snapshot: Snapshot, *, leaves: bool) -> None:
        context, editor = self._context, self.editor
        if self._result_id is None:
            return
        one = Unstored(int(self._result_id), snapshot)
        store = save_correction(context.store, one.result_id, snapshot)
        self._waiting.append(one)

        def done(outcome: Outcome[Correction | None]) -> None:
            if outcome.value is not None:
                key = "reading.kept" if leaves else "reading.saved"
                context.tell(key, version=outcome.value.version)
                context.studies_changed()
            if self.editor is editor:
                self._saved(snapshot, outcome.value)

        def work(report: Report[object]) -> Correction | None:
            return store(report) if self._claim(one) else None

        failed = self._tell_unless_deleted if leaves else context.show_error
        context.jobs.run(work, on_error=failed, on_done=done)

    def _tell_unless_deleted(self, error: HemxError) -> None:
        """A study that was deleted needs no correction and no growth."""
        if not isinstance(error, NotStoredError):
            self._context.show_error(error)

    def _saved(self, snapshot: Snapshot, correction: Correction | None) -> None:
        self._saving = False
        if correction is not None:
            self.editor.mark_saved(snapshot)
            self._correction_id = correction.id
            self._context.correction = correction
        self.dispatch("on_standing")

    def _changed(self, indices: tuple[int, ...]) -> None:
        if indices:
            self.dispatch("on_slices", indices)
        self.dispatch("on_standing")

    def on_slices(self, _indices: tuple[int, ...]) -> None:
        """Nothing by default."""

    def on_standing(self) -> None:
        """Nothing by default."""
