"""The part of each framework that its recipe uses, for machines where the framework is not installed."""

from __future__ import annotations

import sys
import types
from typing import Any


def install(name: str, **names: Any) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(names)
    sys.modules[name] = module


class CeleryRetry(Exception):
    pass


class CeleryTask:
    """`apply` as Celery's eager mode has it: a task that asks for another try gets it at once, under the same id."""

    def __init__(self, function: Any, options: Any) -> None:
        self.function = function
        self.options = options

    def retry(self, exc: Any, countdown: float) -> CeleryRetry:
        if countdown < 0 or self.options["max_retries"] is not None:
            raise exc
        self.request.retries += 1
        return CeleryRetry()

    def apply(self, args: Any, task_id: str) -> Any:
        self.request = types.SimpleNamespace(id=task_id, retries=0)
        while True:
            try:
                result = self.function(self, *args)
                return types.SimpleNamespace(successful=lambda: True, get=lambda: result)
            except CeleryRetry:
                continue
            except Exception as error:
                failure = error
                return types.SimpleNamespace(successful=lambda: False, result=failure)


def celery() -> None:
    install("celery", shared_task=lambda **options: lambda function: CeleryTask(function, options))


def rq() -> None:
    install("rq", get_current_job=lambda: None)


class DramatiqRetry(Exception):
    def __init__(self, message: str = "", delay: Any = None) -> None:
        super().__init__(message)
        self.delay = delay


class DramatiqActor:
    def __init__(self, function: Any, options: Any) -> None:
        self.function = function
        self.options = options

    def perform(self, message: Any, *args: Any) -> Any:
        """Performs a message as a worker with the middleware Retries does."""
        CurrentMessage.message = message
        while True:
            try:
                return self.function(*args)
            except Exception as error:
                is_final = isinstance(error, self.options["throws"])
                if is_final or not (self.options["max_retries"] is None and isinstance(error, DramatiqRetry)):
                    raise
                if not isinstance(error.delay, int):
                    raise TypeError("a delay is whole milliseconds") from error
                message.retries += 1


class CurrentMessage:
    message: Any = None

    @classmethod
    def get_current_message(cls) -> Any:
        return cls.message


def dramatiq() -> None:
    install("dramatiq", Retry=DramatiqRetry, actor=lambda **options: lambda function: DramatiqActor(function, options))
    install("dramatiq.middleware", CurrentMessage=CurrentMessage)


class TaskDeferred(Exception):
    def __init__(self, trigger: Any, method_name: str) -> None:
        super().__init__()
        self.trigger = trigger
        self.method_name = method_name


class BaseOperator:
    def __init__(self, *, task_id: str) -> None:
        self.task_id = task_id

    def defer(self, *, trigger: Any, method_name: str) -> None:
        raise TaskDeferred(trigger, method_name)


class BaseTrigger:
    pass


class TriggerEvent:
    def __init__(self, payload: Any) -> None:
        self.payload = payload


def airflow() -> None:
    install("airflow")
    install("airflow.sdk", BaseOperator=BaseOperator)
    install("airflow.exceptions", AirflowException=type("AirflowException", (Exception,), {}))
    install("airflow.triggers")
    install("airflow.triggers.base", BaseTrigger=BaseTrigger, TriggerEvent=TriggerEvent)
