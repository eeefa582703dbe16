import os
from pathlib import Path

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session

app = Flask(__name__)
app.secret_key = os.urandom(40)
credence = OAuth(app).register(
    "credence",
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=Path(os.environ["CREDENTIALS"]).read_text("utf-8").strip(),
    client_kwargs={"scope": "openid profile provider_id tin entitlements", "code_challenge_method": "S256"},
)


@app.get("/")
def home():
    return session.get("acting") or credence.authorize_redirect(os.environ["REDIRECT_URI"])


@app.get("/callback")
def callback():
    told = credence.userinfo(token=credence.authorize_access_token())
    session["acting"] = {name: told[name] for name in ("sub", "provider_id", "tin")}
    return redirect("/")


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
