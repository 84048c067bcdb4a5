from __future__ import annotations

import explorer.rpc

PUBLIC = """
    Answer Cancellation ChannelOptions Connection DescriptorSet DescriptorSource Health HealthStatus HealthWatch
    MethodKind ProtoFiles Reflection RequestStream Status StreamAnswer Target call_credentials channel_options
    check_health encode invoke method_kind method_path parse_target safe_to_repeat secure_channel status_of stream
    to_dict to_json
"""


def test_the_public_list_is_exactly_the_public_list() -> None:
    assert explorer.rpc.__all__ == PUBLIC.split()
    for name in PUBLIC.split():
        assert getattr(explorer.rpc, name) is not None
