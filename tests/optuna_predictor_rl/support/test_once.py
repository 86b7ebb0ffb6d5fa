import copy
import logging
import pickle

from optuna_predictor_rl.support.once import WarnOnce


def test_a_warning_is_given_once_about_each_subject(caplog):
    warn = WarnOnce(logging.getLogger("once"))
    for about in ("disk", "disk", ("disk", 2)):
        warn(f"{about} is full", about=about)
    assert caplog.messages == ["disk is full", "('disk', 2) is full"]
    warn.forget()
    warn("disk is full", about="disk")
    assert len(caplog.messages) == 3


def test_what_was_said_is_kept_by_copies(caplog):
    warn = WarnOnce(logging.getLogger("once"))
    warn("full", about="disk")
    for copied in (pickle.loads(pickle.dumps(warn)), copy.deepcopy(warn)):
        copied("full", about="disk")
    assert caplog.messages == ["full"]
