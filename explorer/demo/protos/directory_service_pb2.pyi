import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_READER: _ClassVar[Role]
    ROLE_EDITOR: _ClassVar[Role]
    ROLE_ADMIN: _ClassVar[Role]

class Weekday(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WEEKDAY_UNSPECIFIED: _ClassVar[Weekday]
    WEEKDAY_MONDAY: _ClassVar[Weekday]
    WEEKDAY_TUESDAY: _ClassVar[Weekday]
    WEEKDAY_WEDNESDAY: _ClassVar[Weekday]
    WEEKDAY_THURSDAY: _ClassVar[Weekday]
    WEEKDAY_FRIDAY: _ClassVar[Weekday]
    WEEKDAY_SATURDAY: _ClassVar[Weekday]
    WEEKDAY_SUNDAY: _ClassVar[Weekday]
ROLE_UNSPECIFIED: Role
ROLE_READER: Role
ROLE_EDITOR: Role
ROLE_ADMIN: Role
WEEKDAY_UNSPECIFIED: Weekday
WEEKDAY_MONDAY: Weekday
WEEKDAY_TUESDAY: Weekday
WEEKDAY_WEDNESDAY: Weekday
WEEKDAY_THURSDAY: Weekday
WEEKDAY_FRIDAY: Weekday
WEEKDAY_SATURDAY: Weekday
WEEKDAY_SUNDAY: Weekday

class ListUsersRequest(_message.Message):
    __slots__ = ("limit", "offset", "role", "name_prefix", "active")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_PREFIX_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    limit: int
    offset: int
    role: Role
    name_prefix: str
    active: bool
    def __init__(self, limit: _Optional[int] = ..., offset: _Optional[int] = ..., role: _Optional[_Union[Role, str]] = ..., name_prefix: _Optional[str] = ..., active: _Optional[bool] = ...) -> None: ...

class DirectoryUser(_message.Message):
    __slots__ = ("id", "name", "role", "address", "tags", "attributes", "nickname", "joined", "sign_in_count", "age", "active", "score")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    SIGN_IN_COUNT_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    role: Role
    address: Address
    tags: _containers.RepeatedScalarFieldContainer[str]
    attributes: _containers.ScalarMap[str, str]
    nickname: str
    joined: _timestamp_pb2.Timestamp
    sign_in_count: int
    age: int
    active: bool
    score: float
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., address: _Optional[_Union[Address, _Mapping]] = ..., tags: _Optional[_Iterable[str]] = ..., attributes: _Optional[_Mapping[str, str]] = ..., nickname: _Optional[str] = ..., joined: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sign_in_count: _Optional[int] = ..., age: _Optional[int] = ..., active: _Optional[bool] = ..., score: _Optional[float] = ...) -> None: ...

class Address(_message.Message):
    __slots__ = ("street", "city", "country", "latitude", "longitude")
    STREET_FIELD_NUMBER: _ClassVar[int]
    CITY_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    street: str
    city: str
    country: str
    latitude: float
    longitude: float
    def __init__(self, street: _Optional[str] = ..., city: _Optional[str] = ..., country: _Optional[str] = ..., latitude: _Optional[float] = ..., longitude: _Optional[float] = ...) -> None: ...

class GetDirectoryUserRequest(_message.Message):
    __slots__ = ("id", "number", "nickname", "read_mask")
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    id: str
    number: int
    nickname: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, id: _Optional[str] = ..., number: _Optional[int] = ..., nickname: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class SearchUsersRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "name_contains", "roles", "cities", "active", "minimum_age", "joined_since", "order")
    class Order(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ORDER_UNSPECIFIED: _ClassVar[SearchUsersRequest.Order]
        ORDER_NAME: _ClassVar[SearchUsersRequest.Order]
        ORDER_NEWEST: _ClassVar[SearchUsersRequest.Order]
    ORDER_UNSPECIFIED: SearchUsersRequest.Order
    ORDER_NAME: SearchUsersRequest.Order
    ORDER_NEWEST: SearchUsersRequest.Order
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NAME_CONTAINS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    CITIES_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_AGE_FIELD_NUMBER: _ClassVar[int]
    JOINED_SINCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    name_contains: str
    roles: _containers.RepeatedScalarFieldContainer[Role]
    cities: _containers.RepeatedScalarFieldContainer[str]
    active: _wrappers_pb2.BoolValue
    minimum_age: _wrappers_pb2.Int32Value
    joined_since: _timestamp_pb2.Timestamp
    order: SearchUsersRequest.Order
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., name_contains: _Optional[str] = ..., roles: _Optional[_Iterable[_Union[Role, str]]] = ..., cities: _Optional[_Iterable[str]] = ..., active: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., minimum_age: _Optional[_Union[_wrappers_pb2.Int32Value, _Mapping]] = ..., joined_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., order: _Optional[_Union[SearchUsersRequest.Order, str]] = ...) -> None: ...

class SearchUsersResponse(_message.Message):
    __slots__ = ("users", "next_page_token", "total_size")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[DirectoryUser]
    next_page_token: str
    total_size: int
    def __init__(self, users: _Optional[_Iterable[_Union[DirectoryUser, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class UpdateUserRequest(_message.Message):
    __slots__ = ("user", "update_mask", "validate_only")
    USER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    user: DirectoryUser
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, user: _Optional[_Union[DirectoryUser, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ImportUsersRequest(_message.Message):
    __slots__ = ("user", "validate_only")
    USER_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    user: DirectoryUser
    validate_only: bool
    def __init__(self, user: _Optional[_Union[DirectoryUser, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ImportUsersResponse(_message.Message):
    __slots__ = ("received", "imported", "ids", "problems", "elapsed")
    class Problem(_message.Message):
        __slots__ = ("index", "field", "description")
        INDEX_FIELD_NUMBER: _ClassVar[int]
        FIELD_FIELD_NUMBER: _ClassVar[int]
        DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
        index: int
        field: str
        description: str
        def __init__(self, index: _Optional[int] = ..., field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    received: int
    imported: int
    ids: _containers.RepeatedScalarFieldContainer[str]
    problems: _containers.RepeatedCompositeFieldContainer[ImportUsersResponse.Problem]
    elapsed: _duration_pb2.Duration
    def __init__(self, received: _Optional[int] = ..., imported: _Optional[int] = ..., ids: _Optional[_Iterable[str]] = ..., problems: _Optional[_Iterable[_Union[ImportUsersResponse.Problem, _Mapping]]] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class LookUpRequest(_message.Message):
    __slots__ = ("id", "nickname")
    ID_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    nickname: str
    def __init__(self, id: _Optional[str] = ..., nickname: _Optional[str] = ...) -> None: ...

class LookUpResponse(_message.Message):
    __slots__ = ("index", "user", "problem")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    index: int
    user: DirectoryUser
    problem: str
    def __init__(self, index: _Optional[int] = ..., user: _Optional[_Union[DirectoryUser, _Mapping]] = ..., problem: _Optional[str] = ...) -> None: ...

class WatchUsersRequest(_message.Message):
    __slots__ = ("interval", "roles", "maximum_events")
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_EVENTS_FIELD_NUMBER: _ClassVar[int]
    interval: _duration_pb2.Duration
    roles: _containers.RepeatedScalarFieldContainer[Role]
    maximum_events: int
    def __init__(self, interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., roles: _Optional[_Iterable[_Union[Role, str]]] = ..., maximum_events: _Optional[int] = ...) -> None: ...

class WatchUsersResponse(_message.Message):
    __slots__ = ("number", "time", "created", "updated", "heartbeat")
    class Heartbeat(_message.Message):
        __slots__ = ("watchers", "people")
        WATCHERS_FIELD_NUMBER: _ClassVar[int]
        PEOPLE_FIELD_NUMBER: _ClassVar[int]
        watchers: int
        people: int
        def __init__(self, watchers: _Optional[int] = ..., people: _Optional[int] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: _timestamp_pb2.Timestamp
    created: DirectoryUser
    updated: DirectoryUser
    heartbeat: WatchUsersResponse.Heartbeat
    def __init__(self, number: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created: _Optional[_Union[DirectoryUser, _Mapping]] = ..., updated: _Optional[_Union[DirectoryUser, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchUsersResponse.Heartbeat, _Mapping]] = ...) -> None: ...

class GetOrganizationRequest(_message.Message):
    __slots__ = ("team", "depth")
    TEAM_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    team: str
    depth: _wrappers_pb2.UInt32Value
    def __init__(self, team: _Optional[str] = ..., depth: _Optional[_Union[_wrappers_pb2.UInt32Value, _Mapping]] = ...) -> None: ...

class Organization(_message.Message):
    __slots__ = ("team", "leaders", "levels")
    class LeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: DirectoryUser
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[DirectoryUser, _Mapping]] = ...) -> None: ...
    TEAM_FIELD_NUMBER: _ClassVar[int]
    LEADERS_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    team: Team
    leaders: _containers.MessageMap[str, DirectoryUser]
    levels: int
    def __init__(self, team: _Optional[_Union[Team, _Mapping]] = ..., leaders: _Optional[_Mapping[str, DirectoryUser]] = ..., levels: _Optional[int] = ...) -> None: ...

class Team(_message.Message):
    __slots__ = ("name", "leader_id", "people", "teams", "deputy")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEADER_ID_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    TEAMS_FIELD_NUMBER: _ClassVar[int]
    DEPUTY_FIELD_NUMBER: _ClassVar[int]
    name: str
    leader_id: str
    people: int
    teams: _containers.RepeatedCompositeFieldContainer[Team]
    deputy: Team
    def __init__(self, name: _Optional[str] = ..., leader_id: _Optional[str] = ..., people: _Optional[int] = ..., teams: _Optional[_Iterable[_Union[Team, _Mapping]]] = ..., deputy: _Optional[_Union[Team, _Mapping]] = ...) -> None: ...

class GetProfileRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class UpdateProfileRequest(_message.Message):
    __slots__ = ("profile", "update_mask")
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    profile: Profile
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, profile: _Optional[_Union[Profile, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("user_id", "photo", "born", "working_day", "email", "phone", "post", "employment", "figures", "pronouns", "newsletter", "shoe_size", "loyalty_points", "lucky_number", "library_card", "coffee_per_day", "marathon_hours", "public_key", "preferences", "motto", "playlist", "badge", "hidden", "floor_preference", "website", "signature", "day_off", "rating", "working_days", "lottery_numbers", "temperatures", "fingerprints", "earlier_addresses", "absences", "phones", "places", "rooms_by_floor", "day_by_locker", "notes", "breaks", "fax")
    class Phone(_message.Message):
        __slots__ = ("number", "takes_texts")
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        TAKES_TEXTS_FIELD_NUMBER: _ClassVar[int]
        number: str
        takes_texts: bool
        def __init__(self, number: _Optional[str] = ..., takes_texts: _Optional[bool] = ...) -> None: ...
    class Employment(_message.Message):
        __slots__ = ("employer", "contract")
        class Contract(_message.Message):
            __slots__ = ("notice", "since", "earlier_notices")
            class Notice(_message.Message):
                __slots__ = ("period", "in_writing")
                PERIOD_FIELD_NUMBER: _ClassVar[int]
                IN_WRITING_FIELD_NUMBER: _ClassVar[int]
                period: _duration_pb2.Duration
                in_writing: bool
                def __init__(self, period: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., in_writing: _Optional[bool] = ...) -> None: ...
            NOTICE_FIELD_NUMBER: _ClassVar[int]
            SINCE_FIELD_NUMBER: _ClassVar[int]
            EARLIER_NOTICES_FIELD_NUMBER: _ClassVar[int]
            notice: Profile.Employment.Contract.Notice
            since: _timestamp_pb2.Timestamp
            earlier_notices: _containers.RepeatedCompositeFieldContainer[Profile.Employment.Contract.Notice]
            def __init__(self, notice: _Optional[_Union[Profile.Employment.Contract.Notice, _Mapping]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., earlier_notices: _Optional[_Iterable[_Union[Profile.Employment.Contract.Notice, _Mapping]]] = ...) -> None: ...
        EMPLOYER_FIELD_NUMBER: _ClassVar[int]
        CONTRACT_FIELD_NUMBER: _ClassVar[int]
        employer: str
        contract: Profile.Employment.Contract
        def __init__(self, employer: _Optional[str] = ..., contract: _Optional[_Union[Profile.Employment.Contract, _Mapping]] = ...) -> None: ...
    class Figures(_message.Message):
        __slots__ = ("utc_offset", "balance", "desk", "badge", "network_address", "device", "floor", "last_seen", "height", "fastest_mile", "children", "steps")
        UTC_OFFSET_FIELD_NUMBER: _ClassVar[int]
        BALANCE_FIELD_NUMBER: _ClassVar[int]
        DESK_FIELD_NUMBER: _ClassVar[int]
        BADGE_FIELD_NUMBER: _ClassVar[int]
        NETWORK_ADDRESS_FIELD_NUMBER: _ClassVar[int]
        DEVICE_FIELD_NUMBER: _ClassVar[int]
        FLOOR_FIELD_NUMBER: _ClassVar[int]
        LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
        HEIGHT_FIELD_NUMBER: _ClassVar[int]
        FASTEST_MILE_FIELD_NUMBER: _ClassVar[int]
        CHILDREN_FIELD_NUMBER: _ClassVar[int]
        STEPS_FIELD_NUMBER: _ClassVar[int]
        utc_offset: int
        balance: int
        desk: int
        badge: int
        network_address: int
        device: int
        floor: int
        last_seen: int
        height: float
        fastest_mile: float
        children: int
        steps: int
        def __init__(self, utc_offset: _Optional[int] = ..., balance: _Optional[int] = ..., desk: _Optional[int] = ..., badge: _Optional[int] = ..., network_address: _Optional[int] = ..., device: _Optional[int] = ..., floor: _Optional[int] = ..., last_seen: _Optional[int] = ..., height: _Optional[float] = ..., fastest_mile: _Optional[float] = ..., children: _Optional[int] = ..., steps: _Optional[int] = ...) -> None: ...
    class PlacesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Address
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Address, _Mapping]] = ...) -> None: ...
    class RoomsByFloorEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    class DayByLockerEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: Weekday
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[Weekday, str]] = ...) -> None: ...
    class NotesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...
    class BreaksEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: bool
        value: _duration_pb2.Duration
        def __init__(self, key: _Optional[bool] = ..., value: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    BORN_FIELD_NUMBER: _ClassVar[int]
    WORKING_DAY_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    POST_FIELD_NUMBER: _ClassVar[int]
    EMPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    PRONOUNS_FIELD_NUMBER: _ClassVar[int]
    NEWSLETTER_FIELD_NUMBER: _ClassVar[int]
    SHOE_SIZE_FIELD_NUMBER: _ClassVar[int]
    LOYALTY_POINTS_FIELD_NUMBER: _ClassVar[int]
    LUCKY_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_CARD_FIELD_NUMBER: _ClassVar[int]
    COFFEE_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    MARATHON_HOURS_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    PREFERENCES_FIELD_NUMBER: _ClassVar[int]
    MOTTO_FIELD_NUMBER: _ClassVar[int]
    PLAYLIST_FIELD_NUMBER: _ClassVar[int]
    BADGE_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    FLOOR_PREFERENCE_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    DAY_OFF_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    WORKING_DAYS_FIELD_NUMBER: _ClassVar[int]
    LOTTERY_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURES_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINTS_FIELD_NUMBER: _ClassVar[int]
    EARLIER_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    ABSENCES_FIELD_NUMBER: _ClassVar[int]
    PHONES_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    ROOMS_BY_FLOOR_FIELD_NUMBER: _ClassVar[int]
    DAY_BY_LOCKER_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    BREAKS_FIELD_NUMBER: _ClassVar[int]
    FAX_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    photo: bytes
    born: _timestamp_pb2.Timestamp
    working_day: _duration_pb2.Duration
    email: str
    phone: Profile.Phone
    post: Address
    employment: Profile.Employment
    figures: Profile.Figures
    pronouns: _wrappers_pb2.StringValue
    newsletter: _wrappers_pb2.BoolValue
    shoe_size: _wrappers_pb2.Int32Value
    loyalty_points: _wrappers_pb2.Int64Value
    lucky_number: _wrappers_pb2.UInt32Value
    library_card: _wrappers_pb2.UInt64Value
    coffee_per_day: _wrappers_pb2.FloatValue
    marathon_hours: _wrappers_pb2.DoubleValue
    public_key: _wrappers_pb2.BytesValue
    preferences: _struct_pb2.Struct
    motto: _struct_pb2.Value
    playlist: _struct_pb2.ListValue
    badge: _any_pb2.Any
    hidden: _field_mask_pb2.FieldMask
    floor_preference: int
    website: str
    signature: bytes
    day_off: Weekday
    rating: float
    working_days: _containers.RepeatedScalarFieldContainer[Weekday]
    lottery_numbers: _containers.RepeatedScalarFieldContainer[int]
    temperatures: _containers.RepeatedScalarFieldContainer[float]
    fingerprints: _containers.RepeatedScalarFieldContainer[bytes]
    earlier_addresses: _containers.RepeatedCompositeFieldContainer[Address]
    absences: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    phones: _containers.RepeatedCompositeFieldContainer[Profile.Phone]
    places: _containers.MessageMap[str, Address]
    rooms_by_floor: _containers.ScalarMap[int, str]
    day_by_locker: _containers.ScalarMap[int, Weekday]
    notes: _containers.MessageMap[str, _struct_pb2.Value]
    breaks: _containers.MessageMap[bool, _duration_pb2.Duration]
    fax: str
    def __init__(self, user_id: _Optional[str] = ..., photo: _Optional[bytes] = ..., born: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., working_day: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., email: _Optional[str] = ..., phone: _Optional[_Union[Profile.Phone, _Mapping]] = ..., post: _Optional[_Union[Address, _Mapping]] = ..., employment: _Optional[_Union[Profile.Employment, _Mapping]] = ..., figures: _Optional[_Union[Profile.Figures, _Mapping]] = ..., pronouns: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., newsletter: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., shoe_size: _Optional[_Union[_wrappers_pb2.Int32Value, _Mapping]] = ..., loyalty_points: _Optional[_Union[_wrappers_pb2.Int64Value, _Mapping]] = ..., lucky_number: _Optional[_Union[_wrappers_pb2.UInt32Value, _Mapping]] = ..., library_card: _Optional[_Union[_wrappers_pb2.UInt64Value, _Mapping]] = ..., coffee_per_day: _Optional[_Union[_wrappers_pb2.FloatValue, _Mapping]] = ..., marathon_hours: _Optional[_Union[_wrappers_pb2.DoubleValue, _Mapping]] = ..., public_key: _Optional[_Union[_wrappers_pb2.BytesValue, _Mapping]] = ..., preferences: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., motto: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., playlist: _Optional[_Union[_struct_pb2.ListValue, _Mapping]] = ..., badge: _Optional[_Union[_any_pb2.Any, _Mapping]] = ..., hidden: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., floor_preference: _Optional[int] = ..., website: _Optional[str] = ..., signature: _Optional[bytes] = ..., day_off: _Optional[_Union[Weekday, str]] = ..., rating: _Optional[float] = ..., working_days: _Optional[_Iterable[_Union[Weekday, str]]] = ..., lottery_numbers: _Optional[_Iterable[int]] = ..., temperatures: _Optional[_Iterable[float]] = ..., fingerprints: _Optional[_Iterable[bytes]] = ..., earlier_addresses: _Optional[_Iterable[_Union[Address, _Mapping]]] = ..., absences: _Optional[_Iterable[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]]] = ..., phones: _Optional[_Iterable[_Union[Profile.Phone, _Mapping]]] = ..., places: _Optional[_Mapping[str, Address]] = ..., rooms_by_floor: _Optional[_Mapping[int, str]] = ..., day_by_locker: _Optional[_Mapping[int, Weekday]] = ..., notes: _Optional[_Mapping[str, _struct_pb2.Value]] = ..., breaks: _Optional[_Mapping[bool, _duration_pb2.Duration]] = ..., fax: _Optional[str] = ...) -> None: ...

class GetAttachmentsRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class GetAttachmentsResponse(_message.Message):
    __slots__ = ("attachments", "newest")
    class NewestEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _any_pb2.Any
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    attachments: _containers.RepeatedCompositeFieldContainer[_any_pb2.Any]
    newest: _containers.MessageMap[str, _any_pb2.Any]
    def __init__(self, attachments: _Optional[_Iterable[_Union[_any_pb2.Any, _Mapping]]] = ..., newest: _Optional[_Mapping[str, _any_pb2.Any]] = ...) -> None: ...

class RehearseStatusRequest(_message.Message):
    __slots__ = ("code", "message", "details", "delay")
    class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OK: _ClassVar[RehearseStatusRequest.Code]
        CANCELLED: _ClassVar[RehearseStatusRequest.Code]
        UNKNOWN: _ClassVar[RehearseStatusRequest.Code]
        INVALID_ARGUMENT: _ClassVar[RehearseStatusRequest.Code]
        DEADLINE_EXCEEDED: _ClassVar[RehearseStatusRequest.Code]
        NOT_FOUND: _ClassVar[RehearseStatusRequest.Code]
        ALREADY_EXISTS: _ClassVar[RehearseStatusRequest.Code]
        PERMISSION_DENIED: _ClassVar[RehearseStatusRequest.Code]
        RESOURCE_EXHAUSTED: _ClassVar[RehearseStatusRequest.Code]
        FAILED_PRECONDITION: _ClassVar[RehearseStatusRequest.Code]
        ABORTED: _ClassVar[RehearseStatusRequest.Code]
        OUT_OF_RANGE: _ClassVar[RehearseStatusRequest.Code]
        UNIMPLEMENTED: _ClassVar[RehearseStatusRequest.Code]
        INTERNAL: _ClassVar[RehearseStatusRequest.Code]
        UNAVAILABLE: _ClassVar[RehearseStatusRequest.Code]
        DATA_LOSS: _ClassVar[RehearseStatusRequest.Code]
        UNAUTHENTICATED: _ClassVar[RehearseStatusRequest.Code]
    OK: RehearseStatusRequest.Code
    CANCELLED: RehearseStatusRequest.Code
    UNKNOWN: RehearseStatusRequest.Code
    INVALID_ARGUMENT: RehearseStatusRequest.Code
    DEADLINE_EXCEEDED: RehearseStatusRequest.Code
    NOT_FOUND: RehearseStatusRequest.Code
    ALREADY_EXISTS: RehearseStatusRequest.Code
    PERMISSION_DENIED: RehearseStatusRequest.Code
    RESOURCE_EXHAUSTED: RehearseStatusRequest.Code
    FAILED_PRECONDITION: RehearseStatusRequest.Code
    ABORTED: RehearseStatusRequest.Code
    OUT_OF_RANGE: RehearseStatusRequest.Code
    UNIMPLEMENTED: RehearseStatusRequest.Code
    INTERNAL: RehearseStatusRequest.Code
    UNAVAILABLE: RehearseStatusRequest.Code
    DATA_LOSS: RehearseStatusRequest.Code
    UNAUTHENTICATED: RehearseStatusRequest.Code
    class Detail(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DETAIL_UNSPECIFIED: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_ERROR_INFO: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_RETRY_INFO: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_BAD_REQUEST: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_PRECONDITION_FAILURE: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_QUOTA_FAILURE: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_REQUEST_INFO: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_RESOURCE_INFO: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_HELP: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_LOCALIZED_MESSAGE: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_DEBUG_INFO: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_HOUSE_POLICY: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_UNHEARD_OF: _ClassVar[RehearseStatusRequest.Detail]
        DETAIL_GARBAGE: _ClassVar[RehearseStatusRequest.Detail]
    DETAIL_UNSPECIFIED: RehearseStatusRequest.Detail
    DETAIL_ERROR_INFO: RehearseStatusRequest.Detail
    DETAIL_RETRY_INFO: RehearseStatusRequest.Detail
    DETAIL_BAD_REQUEST: RehearseStatusRequest.Detail
    DETAIL_PRECONDITION_FAILURE: RehearseStatusRequest.Detail
    DETAIL_QUOTA_FAILURE: RehearseStatusRequest.Detail
    DETAIL_REQUEST_INFO: RehearseStatusRequest.Detail
    DETAIL_RESOURCE_INFO: RehearseStatusRequest.Detail
    DETAIL_HELP: RehearseStatusRequest.Detail
    DETAIL_LOCALIZED_MESSAGE: RehearseStatusRequest.Detail
    DETAIL_DEBUG_INFO: RehearseStatusRequest.Detail
    DETAIL_HOUSE_POLICY: RehearseStatusRequest.Detail
    DETAIL_UNHEARD_OF: RehearseStatusRequest.Detail
    DETAIL_GARBAGE: RehearseStatusRequest.Detail
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    code: RehearseStatusRequest.Code
    message: str
    details: _containers.RepeatedScalarFieldContainer[RehearseStatusRequest.Detail]
    delay: _duration_pb2.Duration
    def __init__(self, code: _Optional[_Union[RehearseStatusRequest.Code, str]] = ..., message: _Optional[str] = ..., details: _Optional[_Iterable[_Union[RehearseStatusRequest.Detail, str]]] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
