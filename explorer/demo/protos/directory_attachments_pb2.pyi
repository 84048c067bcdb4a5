import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Certificate(_message.Message):
    __slots__ = ("course", "passed", "points", "seal")
    COURSE_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    course: str
    passed: _timestamp_pb2.Timestamp
    points: int
    seal: bytes
    def __init__(self, course: _Optional[str] = ..., passed: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., points: _Optional[int] = ..., seal: _Optional[bytes] = ...) -> None: ...

class Note(_message.Message):
    __slots__ = ("author_id", "text", "replies")
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    author_id: str
    text: str
    replies: _containers.RepeatedCompositeFieldContainer[Note]
    def __init__(self, author_id: _Optional[str] = ..., text: _Optional[str] = ..., replies: _Optional[_Iterable[_Union[Note, _Mapping]]] = ...) -> None: ...

class HousePolicy(_message.Message):
    __slots__ = ("paragraph", "sentence", "severity")
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEVERITY_UNSPECIFIED: _ClassVar[HousePolicy.Severity]
        SEVERITY_ADVICE: _ClassVar[HousePolicy.Severity]
        SEVERITY_RULE: _ClassVar[HousePolicy.Severity]
    SEVERITY_UNSPECIFIED: HousePolicy.Severity
    SEVERITY_ADVICE: HousePolicy.Severity
    SEVERITY_RULE: HousePolicy.Severity
    PARAGRAPH_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    paragraph: str
    sentence: str
    severity: HousePolicy.Severity
    def __init__(self, paragraph: _Optional[str] = ..., sentence: _Optional[str] = ..., severity: _Optional[_Union[HousePolicy.Severity, str]] = ...) -> None: ...
