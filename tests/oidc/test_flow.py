"""The code flow as every client walks it."""

from tests.oidc.flow import payload_of


def test_whole(flow, watch):
    t = flow.tokens()
    print(t, payload_of(t["access_token"]), payload_of(t["id_token"]))
    u = flow.userinfo(t["access_token"])
    print(u.status_code, u.json)
    r = flow.refresh(t["refresh_token"])
    print(r.json)
    print(flow.introspect(r.json["access_token"]))


def test_partner(world, open_flow, watch):
    f = open_flow(world.partner())
    t = f.tokens(scope="openid profile provider_id offline_access")
    print(t, payload_of(t["access_token"]), payload_of(t["id_token"]))
    print(f.authorize(scope="openid profile provider_id", prompt="none").location)
    assert 0
