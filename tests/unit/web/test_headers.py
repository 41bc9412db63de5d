"""What every answer carries, CORS, TLS behind a proxy, and the log line of a request."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from cds_service.hooks.call import Call
from tests.unit.web.conftest import SECURE, Open
from tests.unit.web.rooms import NORTH, SOUTH, URL, hook_request


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cds-services"),
        ("POST", URL),
        ("POST", "/cds-services/unknown"),
        ("GET", "/nothing"),
        ("PUT", "/cds-services"),
        ("OPTIONS", URL),
        ("GET", "/health/live"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
    ],
)
def test_every_answer_names_knowledge_and_request_and_is_kept_by_nobody(
    sandbox: Open, method: str, path: str
) -> None:
    response = sandbox().open(path, method=method)
    assert response.headers["Knowledge-Version"] == "toy@2026.1"
    assert UUID(response.headers["X-Request-Id"])
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    policy = response.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'"
    assert "text/html" not in response.content_type


@pytest.mark.parametrize(
    "given",
    [
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
        "0aF76519-16CD-43dd-8448-eb211c80319c",
    ],
    ids=["trace id", "span id", "uuid"],
)
def test_a_request_id_that_looks_like_one_is_taken_over(sandbox: Open, given: str) -> None:
    response = sandbox().get("/health/live", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given",
    [
        *("short", "x" * 65, "has space in it", "<script>1234", "a\x1b[31mred-alert", "ümläut-1"),
        *("MRN-48151623", "John-Doe-1950-01-01", "0AF7651916CD43DD8448EB211C80319C", "12345678"),
        *("8003608166690503", "80036081666905038003608166690503"),
        "80036081-6669-0503-8003-608166690503",
    ],
)
def test_t32_any_other_request_id_is_replaced(sandbox: Open, given: str) -> None:
    response = sandbox().get("/health/live", environ_base={"HTTP_X_REQUEST_ID": given})
    assert UUID(response.headers["X-Request-Id"])


def test_d01_no_path_answers_with_a_redirect(sandbox: Open) -> None:
    client = sandbox()
    for path in ("/cds-services", "/cds-services/"):
        assert client.get(path).status_code == 200
    for path in (URL, f"{URL}/", f"{URL}/feedback/"):
        assert client.post(path, json={}).status_code == 400


@pytest.mark.parametrize("host", ["elsewhere.example", "x" * 64, "no host", ""])
def test_t11_the_host_header_has_no_say_in_what_is_called(sandbox: Open, host: str) -> None:
    client = sandbox()
    here = client.post(URL, json=hook_request())
    there = client.post(URL, json=hook_request(), environ_overrides={"HTTP_HOST": host})
    assert (there.status_code, there.data) == (200, here.data)


@pytest.mark.parametrize("origin", ["https://ehr.example.org", "https://other.example", ""])
def test_tr10_no_store_in_between_gives_the_answer_for_one_origin_to_another(
    production: FlaskClient, origin: str
) -> None:
    response = production.get("/cds-services", headers={"Origin": origin} if origin else {})
    assert response.headers.getlist("Vary") == ["Origin"]


def test_tr10_in_sandbox_mode_any_origin_may_call_without_credentials(sandbox: Open) -> None:
    response = sandbox().post(URL, json=hook_request(), headers={"Origin": "https://any.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("path", ["/cds-services", URL, f"{URL}/feedback"])
def test_t33_a_preflight_needs_no_token(production: FlaskClient, path: str) -> None:
    response = production.options(
        path,
        headers={
            "Origin": "https://ehr.example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "https://ehr.example.org"
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert set(allowed.split(", ")) == {"authorization", "content-type"}, "those asked for"
    methods = response.headers["Access-Control-Allow-Methods"]
    assert set(methods.split(", ")) == {"GET", "POST", "OPTIONS"}
    assert "Origin" in response.headers["Vary"]


def test_t33_a_preflight_allows_the_three_headers_that_are_read_and_no_other(
    production: FlaskClient,
) -> None:
    asked = "authorization, content-type, x-request-id, x-other"
    headers = {
        "Origin": "https://ehr.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    allowed = production.options(URL, headers=headers).headers["Access-Control-Allow-Headers"]
    assert set(allowed.lower().split(", ")) == {"authorization", "content-type", "x-request-id"}


@pytest.mark.parametrize("status", [200, 400, 401, 404])
def test_t33_answers_of_every_status_can_be_read_by_a_listed_origin(
    production: FlaskClient, status: int
) -> None:
    url = "/cds-services/unknown" if status == 404 else "/cds-services/toy-lab-result"
    headers = {"Origin": "https://ehr.example.org"} | ({} if status == 401 else NORTH)
    context = {"patientId": "p1", "results": {"resourceType": "Bundle"}}
    body = hook_request(hook="org.sil2r-cds.lab-result-create", context=context)
    response = production.post(url, json={} if status == 400 else body, headers=headers)
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "https://ehr.example.org"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://other.example",
        "null",
        "https://ehr.example.org.evil.example",
        "http://ehr.example.org",
        "https://ehr.example.org:8443",
        "https://EHR.example.org",
        "https://evil.example/https://ehr.example.org",
        "https://ehrXexample.org",
    ],
)
def test_t33_no_other_origin_is_allowed(production: FlaskClient, origin: str) -> None:
    for method in ("OPTIONS", "GET"):
        response = production.open("/cds-services", method=method, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in response.headers


def test_j01_behind_a_proxy_a_request_that_did_not_come_by_tls_is_refused(
    production: FlaskClient,
) -> None:
    for said in ("http", "", "http, https", "httpsx"):
        by = {"HTTP_X_FORWARDED_PROTO": said}
        response = production.get("/cds-services", environ_overrides=by)
        assert response.status_code == 400
        assert "TLS only" in response.get_data(as_text=True)
    by = {"HTTP_X_FORWARDED_PROTO": " HTTPS "}
    assert production.get("/cds-services", environ_overrides=by).status_code == 200
    assert production.get("/cds-services").status_code == 200


def test_j01_without_the_header_of_the_proxy_nobody_is_let_in(
    production: FlaskClient, calls: list[Call]
) -> None:
    del production.environ_base["HTTP_X_FORWARDED_PROTO"]
    response = production.post(URL, json=hook_request(), headers=SOUTH)
    assert response.status_code == 400
    assert "TLS only" in response.get_data(as_text=True)
    assert calls == []


def test_health_is_asked_from_inside_and_needs_no_tls(production: FlaskClient) -> None:
    overrides = {"HTTP_X_FORWARDED_PROTO": ""}
    for path in ("/health/live", "/health/ready"):
        assert production.get(path, environ_overrides=overrides).status_code == 200


def test_s01_browsers_are_told_to_keep_to_tls(production: FlaskClient, sandbox: Open) -> None:
    header = "Strict-Transport-Security"
    assert production.get("/cds-services").headers[header] == "max-age=31536000"
    assert header not in sandbox().get("/cds-services").headers


def test_t27_metrics_are_not_served_outside_sandbox_mode(production: FlaskClient) -> None:
    assert SECURE.management_port == 0
    assert production.get("/metrics", headers=NORTH).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/admin", "/debug", "/console", "/reload", "/rules"])
def test_t27_there_is_nothing_to_manage_with_a_clients_token(
    production: FlaskClient, path: str, method: str
) -> None:
    assert production.open(path, method=method, headers=NORTH).status_code == 404


def test_t57_a_client_over_its_rate_waits_and_the_others_do_not(production: FlaskClient) -> None:
    url = "/cds-services/toy-patient-view"
    south = {"Authorization": "Bearer south"}
    statuses = [
        production.post(url, json=hook_request(), headers=south).status_code for _ in range(6)
    ]
    assert statuses == [200] * 5 + [429]
    refused = production.post(url, json=hook_request(), headers=south)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.content_type == "application/fhir+json"
    other = production.post("/cds-services/toy-lab-result", json={}, headers=NORTH)
    assert other.status_code == 400


def test_t28_feedback_is_held_to_the_same_rate(production: FlaskClient) -> None:
    south = {"Authorization": "Bearer south"}
    statuses = [
        production.post(f"{URL}/feedback", json={"feedback": []}, headers=south).status_code
        for _ in range(6)
    ]
    assert statuses == [200] * 5 + [429]


def test_the_tenants_of_a_client_share_its_rate(production: FlaskClient) -> None:
    tenants = ["Bearer group/east", "Bearer group/west"] * 3
    given = [{"Authorization": token} for token in tenants]
    statuses = [production.post(URL, json={}, headers=each).status_code for each in given]
    assert statuses == [400] * 5 + [429]


def test_a_refused_token_uses_up_nobodys_rate(production: FlaskClient) -> None:
    for _ in range(20):
        assert production.post(URL, json={}, headers={"Authorization": "x"}).status_code == 401
    south = {"Authorization": "Bearer south"}
    assert production.post(URL, json=hook_request(), headers=south).status_code == 200


def test_in_sandbox_mode_there_is_no_rate_limit(sandbox: Open) -> None:
    client = sandbox(rate_limit=1)
    assert [client.post(URL, json=hook_request()).status_code for _ in range(3)] == [200] * 3


def test_t32_a_request_is_one_line_of_json_with_known_fields(
    sandbox: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = 'p1"\r\n{"code":"forged"}'
    sandbox().post(f"{URL}%0d%0aforged", json=hook_request(hookInstance=evil))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["status"] == 404
    assert "forged" not in lines[0]


def test_what_was_said_is_logged_in_public_words(
    sandbox: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox().post(URL, json=hook_request())
    line = json.loads(capsys.readouterr().err)
    assert line["code"] == "CDS-L101"
    assert line["service"] == "toy-patient-view"
    assert line["outcomes"] == ["interpreted"]
    assert line["cards"] == 1
    assert {"findings", "reasons", "upstream"} <= set(line), "also where they are empty"
    assert line["duration_ms"] > 0
    assert "p1" not in json.dumps({**line, "request_id": "", "time": ""})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_what_is_asked_every_few_seconds_is_not_logged(
    sandbox: Open, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sandbox().get(path).status_code == 200
    assert capsys.readouterr().err == ""
