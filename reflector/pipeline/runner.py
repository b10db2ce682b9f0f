"""Execute one step, from its lease to its result."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from reflector.db.changes import touch
from reflector.db.engine import is_disconnect, retry_on_disconnect
from reflector.db.models import Deletion, Participant, Status, Step, StepState, Transcript, now
from reflector.errors import ReflectorError, Unavailable, is_out_of_space
from reflector.events.outbox import Outbox
from reflector.mail import queue as mail
from reflector.pipeline import metrics
from reflector.pipeline.context import Output, StepContext, digest_of
from reflector.pipeline.finish import show_result
from reflector.pipeline.memory import invocation
from reflector.pipeline.queue.dispatch import Dispatcher, nudge_ready
from reflector.pipeline.queue.leases import Lease, LeaseLost, take
from reflector.pipeline.registry import STEPS
from reflector.pipeline.runs import failed_need, is_stopped, steps_of
from reflector.pipeline.step import StepName
from reflector.runtime.log import about
from reflector.search import index
from reflector.services import Services
from reflector.webhooks import queue as webhooks
from reflector.webhooks.events import WebhookEvent

log = logging.getLogger(__name__)

RETRY_SECONDS = 15
AWAY_SECONDS = 3
FULL_DISK = "The disk is full. Free some space; the work goes on by itself once there is room."
# Outputs that a step may read besides those of the steps that it waits for
ALSO_READ = {
    StepName.TOPICS: (StepName.TRANSCRIBE,),
    StepName.TITLE: (StepName.TRANSCRIBE,),
    StepName.SUMMARY: (StepName.TRANSCRIBE,),
    StepName.ACTIONS: (StepName.TRANSCRIBE,),
    StepName.TRANSLATE: (StepName.TRANSCRIBE,),
    StepName.FINISH: (StepName.TRANSCRIBE,),
}
# Steps that may change the text that search covers
INDEXED = {StepName.ASSEMBLE, StepName.TITLE, StepName.SUMMARY, StepName.FINISH}
# Parts of an output that pages and reports show for every step, stored apart from thousands of
# words
REMARKS = ("method", "warnings", "engine")


class _NeedFailed(ReflectorError):
    """A step that this one needs has failed; the message is that step's error."""


def _name() -> str:
    """Return a name that is unique to this process.

    Under systemd it begins with the id of the unit's run, so that `note_killed` finds its steps.
    """
    unique = uuid.uuid4().hex
    run = invocation()
    return f"{run}.{unique}" if run else unique


class Runner:
    """Execute steps. `is_patient` retries for as long as a server that is needed is away."""

    def __init__(
        self,
        services: Services,
        dispatcher: Dispatcher,
        worker: str | None = None,
        is_patient: bool = True,
    ) -> None:
        self.is_patient = is_patient
        self.services = services
        self.dispatcher = dispatcher
        self.worker = worker or _name()
        self._busy = 0
        self._busy_lock = threading.Lock()

    @property
    def busy(self) -> int:
        """Number of steps that run in this process."""
        return self._busy

    def execute(self, transcript_id: str, run: int, name: StepName) -> None:
        """Execute the step if it is free, then nudge the steps that became ready."""
        with self._busy_lock:
            self._busy += 1
        try:
            with about(transcript=transcript_id, step=name):
                self._execute(transcript_id, run, name)
        finally:
            with self._busy_lock:
                self._busy -= 1

    def _execute(self, transcript_id: str, run: int, name: StepName) -> None:
        worker = f"{self.worker}/{uuid.uuid4().hex[:8]}"
        step = retry_on_disconnect(lambda: take(self.services.db, transcript_id, run, name, worker))
        if step is None:
            return
        log.info("%s: %s starts (attempt %s)", transcript_id, name, step.attempt)
        try:
            with Lease(self.services.db, step) as lease:
                try:
                    self._work(step, lease)
                except LeaseLost:
                    raise
                except Exception as error:  # noqa: BLE001 - a step's failure is its result
                    failure = error  # Python deletes `error` at the end of this block
                    retry_on_disconnect(lambda: self._fail(step, failure))
        except LeaseLost:
            self._clear_if_deleted(transcript_id)
            return
        retry_on_disconnect(lambda: self.nudge_ready(transcript_id, run))

    def _work(self, step: Step, lease: Lease) -> None:
        """Run the step. Each access to the database is retried while it is away.

        An hour of a model's work must not be lost because the database restarts for some seconds.
        """
        retry_on_disconnect(lambda: self._show_processing(step))
        context = retry_on_disconnect(lambda: self._context(step, lease))
        digest = self._digest(context)
        known = retry_on_disconnect(lambda: self._known_output(step, digest))
        started = time.monotonic()
        output = STEPS[context.step].run(context) if known is None else known
        lease.check()
        retry_on_disconnect(lambda: self._complete(step, context, digest, output))
        seconds = time.monotonic() - started
        log.info("%s: %s is done after %.1f s", step.transcript_id, context.step, seconds)
        if known is None:
            metrics.step_done(context.step, seconds, output)

    def nudge_ready(self, transcript_id: str, run: int) -> None:
        nudge_ready(self.services.db, self.dispatcher, transcript_id, run)

    def release(self) -> int:
        """Release the steps of this worker, so that others can take them at once; return how many.

        Their attempts do not count.
        """
        with self.services.db.write() as session:
            ours = session.scalars(
                select(Step).where(
                    Step.state == StepState.RUNNING, Step.worker.startswith(f"{self.worker}/")
                )
            ).all()
            for step in ours:
                step.state, step.worker, step.lease_until = StepState.PENDING, None, None
                step.nudged_at, step.attempt = None, max(0, step.attempt - 1)
        return len(ours)

    def _show_processing(self, step: Step) -> None:
        with self.services.db.read() as session:
            transcript = session.get(Transcript, step.transcript_id)
            stopped = is_stopped(steps_of(session, step.transcript_id, step.run))
            if (
                transcript is not None
                and transcript.deleted_at is None
                and transcript.status == Status.PROCESSING
                and not stopped
            ):
                return
        with self.services.db.write() as session:
            row, transcript = _still_ours(session, step)
            stopped = is_stopped(steps_of(session, step.transcript_id, step.run))
            if stopped or transcript.deleted_at is not None:
                # Another step failed, or the transcript was deleted, while this step waited
                row.state, row.worker, row.lease_until = StepState.PENDING, None, None
                row.attempt -= 1
                session.commit()
                raise LeaseLost
            events = Outbox(self.services.bus, session, transcript, step.run)
            events.status(Status.PROCESSING)
            transcript.error = None

    def _context(self, step: Step, lease: Lease) -> StepContext:
        spec = STEPS[StepName(step.name)]
        wanted = {*spec.needs, *spec.after, *ALSO_READ.get(spec.name, ())}
        with self.services.db.read() as session:
            steps = steps_of(session, step.transcript_id, step.run)
            failed = failed_need(steps, spec)
            if failed is not None:
                raise _NeedFailed(failed.error or f"{failed.name} failed")
            rows = session.scalars(
                select(Step)
                .where(
                    Step.transcript_id == step.transcript_id,
                    Step.run == step.run,
                    Step.name.in_(wanted),
                    Step.state == StepState.DONE,
                )
                .options(undefer(Step.output))
            ).all()
            transcript = session.get_one(Transcript, step.transcript_id)
            participants = session.scalars(
                select(Participant).where(
                    Participant.transcript_id == step.transcript_id,
                    Participant.speaker.is_not(None),
                )
            ).all()
        return StepContext(
            services=self.services,
            transcript=transcript,
            names={p.speaker: p.name for p in participants if p.speaker is not None},
            run=step.run,
            step=spec.name,
            outputs={StepName(row.name): row.output or {} for row in rows},
            input_digests={row.name: row.digest for row in rows},
            keep=lease.check,
        )

    def _digest(self, context: StepContext) -> str:
        work = STEPS[context.step]
        return digest_of(
            context.step,
            work.version,
            context.transcript.upload_version,
            context.input_digests,
            work.depends(context),
        )

    def _known_output(self, step: Step, digest: str) -> Output | None:
        """Return what another run of this transcript found from the same input; None if nothing."""
        if step.name == StepName.FINISH:
            return None
        with self.services.db.read() as session:
            row = session.scalars(
                select(Step)
                .where(
                    Step.transcript_id == step.transcript_id,
                    Step.name == step.name,
                    Step.digest == digest,
                    Step.state == StepState.DONE,
                )
                .options(undefer(Step.output))
                .limit(1)
            ).first()
        return row.output if row else None

    def _complete(self, step: Step, context: StepContext, digest: str, output: Output) -> None:
        with self.services.db.write() as session:
            row, transcript = _still_ours(session, step)
            if row.state == StepState.DONE:
                return  # the answer to an earlier commit was lost
            events = Outbox(self.services.bus, session, transcript, step.run)
            row.state, row.finished_at, row.lease_until = StepState.DONE, now(), None
            row.digest, row.output, row.error = digest, output, None
            row.remarks = {name: output[name] for name in REMARKS if name in output}
            STEPS[context.step].write(context, session, transcript, output, events)
            if context.step is StepName.FINISH:
                keeps = self.services.settings.LIVE_TEXT_DAYS > 0
                show_result(session, transcript, step.run, events, keeps_live_text=keeps)
                mail.order_for_room(session, self.services.settings, transcript)
            if context.step in INDEXED and transcript.shown_run == step.run:
                index.update(session, transcript, context.language)
            touch(session, transcript)
        log.info("%s: %s done", step.transcript_id, step.name)

    def _fail(self, step: Step, error: Exception) -> None:
        full = is_out_of_space(error)
        away = isinstance(error, Unavailable) or is_disconnect(error)
        retry = full or (away and self.is_patient)
        message = FULL_DISK if full else _sentence(step, error)
        metrics.step_failed(StepName(step.name))
        log.warning("%s: %s failed: %s", step.transcript_id, step.name, message,
                    exc_info=not isinstance(error, ReflectorError))  # fmt: skip
        with self.services.db.write() as session:
            row, transcript = _still_ours(session, step)
            if row.state != StepState.RUNNING:
                return  # the answer to an earlier commit was lost
            events = Outbox(self.services.bus, session, transcript, step.run)
            row.error, row.lease_until = message, None
            if retry:
                row.state, row.attempt = StepState.PENDING, row.attempt - 1
                row.retry_at = now() + timedelta(seconds=RETRY_SECONDS)
            else:
                row.state, row.finished_at = StepState.FAILED, now()
            if retry and not full:
                row.retry_at = now() + timedelta(seconds=AWAY_SECONDS)
            elif full or not STEPS[StepName(step.name)].optional:
                transcript.error = message
                events.status(Status.ERROR)
                if not retry:
                    webhooks.announce(session, transcript, WebhookEvent.FAILED)
            touch(session, transcript)

    def _clear_if_deleted(self, transcript_id: str) -> None:
        """Order a deletion if the transcript is gone.

        This worker may have stored objects after the first deletion had run.
        """
        with self.services.db.write() as session:
            if session.get(Transcript, transcript_id) is None:
                session.add(Deletion(prefix=transcript_id))


def _still_ours(session: Session, step: Step) -> tuple[Step, Transcript]:
    """Return the locked rows to write to. Raises LeaseLost if the step is gone or taken.

    All writers lock the transcript first. So events get their numbers in the order in which they
    are committed, and two writers never deadlock.
    """
    transcript = session.get(Transcript, step.transcript_id, with_for_update=True)
    row = session.get(Step, step.id, with_for_update=True)
    if row is None or transcript is None or row.worker != step.worker:
        raise LeaseLost
    return row, transcript


def _sentence(step: Step, error: Exception) -> str:
    if isinstance(error, ReflectorError):
        return str(error)
    # An exception's text may contain paths and addresses of this machine, so it only goes to the
    # log
    return f"The step {step.name} failed unexpectedly ({type(error).__name__}). The log says why."
