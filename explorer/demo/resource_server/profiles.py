"""GetProfile and UpdateProfile: what people say of themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

from explorer.demo.protos.directory_service_pb2 import GetProfileRequest, Profile, UpdateProfileRequest, Weekday
from explorer.demo.resource_server.instants import is_an_instant, seconds_of
from explorer.demo.resource_server.made_up import profile_of
from explorer.demo.resource_server.masks import copy_field, mask_problems, set_fields
from explorer.demo.resource_server.people import Directory
from explorer.demo.resource_server.refusals import field_violations, no_such_resource, too_many

__all__ = ["Profiles"]

_LARGEST_PHOTO = 64 * 1024
_LARGEST_PROFILE = 256 * 1024
_MOST_KEPT = 200
_FULL = too_many("profiles", f"This demo keeps {_MOST_KEPT} changed profiles; start another one.")


class Profiles:
    """Makes up profiles, and keeps those that were changed."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._changed: dict[str, Profile] = {}

    def get_profile(self, request: GetProfileRequest, context: grpc.ServicerContext) -> Profile:
        """The profile of a person, NOT_FOUND where there is none."""
        row = self._directory.person("id = ?", request.user_id)
        if row is None:
            context.abort_with_status(no_such_resource("user", request.user_id))
        with self._lock:
            return self._changed.get(request.user_id) or profile_of(row)

    def update_profile(self, request: UpdateProfileRequest, context: grpc.ServicerContext) -> Profile:
        """The profile as changed; INVALID_ARGUMENT with every field that will not do."""
        sent = request.profile
        paths = list(request.update_mask.paths) or [name for name in set_fields(sent) if name != "user_id"]
        problems = list(_mask_problems(paths)) + list(_problems(sent))
        if problems:
            context.abort_with_status(field_violations(problems))
        profile = Profile()
        profile.CopyFrom(self.get_profile(GetProfileRequest(user_id=sent.user_id), context))
        for path in paths:
            copy_field(path, sent, profile)
        with self._lock:
            if len(self._changed) >= _MOST_KEPT and sent.user_id not in self._changed:
                context.abort_with_status(_FULL)
            self._changed[sent.user_id] = profile
        return profile


def _mask_problems(paths: list[str]) -> Iterator[tuple[str, str]]:
    for index, problem in mask_problems(paths, Profile):
        yield f"update_mask.paths[{index}]", problem
    if "user_id" in paths:
        yield f"update_mask.paths[{paths.index('user_id')}]", "user_id says whose profile it is and cannot be changed"
    if not paths:
        yield "update_mask", "names nothing, and profile sets nothing but its user_id"


def _problems(profile: Profile) -> Iterator[tuple[str, str]]:
    if not profile.user_id:
        yield "profile.user_id", "must not be empty; user123 is one that exists"
    if len(profile.photo) > _LARGEST_PHOTO:
        yield "profile.photo", f"must not be larger than {_LARGEST_PHOTO // 1024} KiB"
    if profile.ByteSize() > _LARGEST_PROFILE:
        yield "profile", f"must not be larger than {_LARGEST_PROFILE // 1024} KiB"
    if profile.WhichOneof("contact") == "email" and profile.email.count("@") != 1:
        yield "profile.email", "must hold one @"
    if not is_an_instant(profile.born):
        yield "profile.born", "must be between the years 1 and 9999"
    if not 0 <= seconds_of(profile.working_day) <= 86_400:
        yield "profile.working_day", "must be between 0 s and a day"
    if seconds_of(profile.employment.contract.notice.period) < 0:
        yield "profile.employment.contract.notice.period", "must not be negative"
    if abs(profile.figures.utc_offset) > 840:
        yield "profile.figures.utc_offset", "must be between -840 and 840"
    for index, day in enumerate(profile.working_days):
        if day not in Weekday.values()[1:]:
            yield f"profile.working_days[{index}]", f"must be one of {', '.join(Weekday.keys()[1:])}"
    for name, place in profile.places.items():
        if place.country and len(place.country) != 2:
            yield f'profile.places["{name[:40]}"].country', "must be two capital letters, such as KE (ISO 3166-1)"
