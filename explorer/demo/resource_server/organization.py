"""GetOrganization: teams within teams."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from explorer.demo.protos.directory_service_pb2 import GetOrganizationRequest, Organization, Team
from explorer.demo.resource_server.listing import user_of
from explorer.demo.resource_server.people import TEAMS, Directory
from explorer.demo.resource_server.refusals import field_violation, no_such_resource

__all__ = ["organization"]

_DEEPEST = 20
_HOUSE = "house"
_PARTS = ("research", "care", "workshop")
_CHAIN = 12  # levels of deputies: deeper than a table flattens


def organization(directory: Directory, request: GetOrganizationRequest, context: grpc.ServicerContext) -> Organization:
    """The team that is asked for and those below it; who leads them."""
    depth = request.depth.value if request.HasField("depth") else _DEEPEST
    if depth > _DEEPEST:
        context.abort_with_status(field_violation("depth", f"must be between 0 and {_DEEPEST}"))
    name = request.team if request.HasField("team") else _HOUSE
    team = next((team for team in _below(_house()) if team.name == name), None)
    if team is None:
        context.abort_with_status(no_such_resource("team", name))
    _cut(team, depth)
    answer = Organization(team=team, levels=_levels(team))
    for one in _below(team):
        row = directory.person("id = ?", one.leader_id)
        if row is not None:
            answer.leaders[one.name].CopyFrom(user_of(row))
    return answer


def _house() -> Team:
    """Ada's house: four teams of three parts each, and a long line of deputies."""
    house = Team(name=_HOUSE, leader_id="user123", people=10_000)
    for index, name in enumerate(TEAMS):
        team = house.teams.add(name=name, leader_id=f"user{index + 1}", people=2_500)
        for part_index, part in enumerate(_PARTS):
            team.teams.add(name=f"{name}/{part}", leader_id=f"user{10 * (index + 1) + part_index}", people=800)
    deputy = house.deputy
    for level in range(1, _CHAIN + 1):
        deputy.name, deputy.leader_id, deputy.people = f"deputy {level}", f"user{200 + level}", 1
        if level < _CHAIN:
            deputy = deputy.deputy
    return house


def _children(team: Team) -> list[Team]:
    return [*team.teams, *([team.deputy] if team.HasField("deputy") else [])]


def _below(team: Team) -> Iterator[Team]:
    yield team
    for child in _children(team):
        yield from _below(child)


def _cut(team: Team, depth: int) -> None:
    if depth == 0:
        team.ClearField("teams")
        team.ClearField("deputy")
    for child in _children(team):
        _cut(child, depth - 1)


def _levels(team: Team) -> int:
    return 1 + max(map(_levels, _children(team)), default=0)
