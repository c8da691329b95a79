"""`alliance login`: keep a token and, for a platform elsewhere, its addresses."""

from pathlib import Path
from typing import Annotated

import jwt
import typer

from alliance_cli import naming, session
from alliance_cli.errors import explained
from alliance_cli.output import console
from alliance_cli.session import t


def login(
    subject: Annotated[str, typer.Argument(help="账号 sub（本机签发）· principal, signed by the local issuer")] = "",
    acting: Annotated[str, typer.Option("--as", help="所代表的单位 · organization to act for")] = "",
    token_file: Annotated[Path | None, typer.Option(help="别处签发的令牌文件 · token of another issuer")] = None,
    target: Annotated[list[str] | None, typer.Option(help="服务=主机:端口 · service=host:port")] = None,
    tls_ca: Annotated[str, typer.Option(help="CA 证书文件 · CA certificates for TLS")] = "",
    tls_cert: Annotated[
        str, typer.Option(help="自己的证书（mTLS），须与 --tls-key 同给 · own certificate, with --tls-key")
    ] = "",
    tls_key: Annotated[str, typer.Option(help="其私钥 · its key")] = "",
    tls_name: Annotated[str, typer.Option(help="对方证书的名称，如 alliance-{service} · name in their certificates")] = "",
) -> None:
    """登录：取得令牌，记下地址 · keep a token and the services' addresses."""
    kept = session.context.session
    for pair in target or []:
        service, _, address = pair.partition("=")
        kept.targets[service] = address
    if bool(tls_cert) != bool(tls_key):
        raise typer.BadParameter(t("--tls-cert 与 --tls-key 须同给", "--tls-cert and --tls-key go together"))
    given = {"tls_ca": tls_ca, "tls_cert": tls_cert, "tls_key": tls_key, "tls_name": tls_name}
    for name, value in given.items():
        setattr(kept, name, value or getattr(kept, name))
    with explained():
        kept.organization = naming.organization(acting) if acting else ""
    kept.token = token_file.read_text().strip() if token_file else _signed_here(subject, kept.organization)
    kept.subject = str(jwt.decode(kept.token, options={"verify_signature": False})["sub"])
    file = session.save(kept)
    console.print(t(f"已登录：{kept.subject}（{file}）", f"logged in: {kept.subject} ({file})"), highlight=False)


def _signed_here(subject: str, organization: str) -> str:
    """A token of the local platform's issuer."""
    if not subject:
        raise typer.BadParameter(t("需要账号或 --token-file", "a principal or --token-file is needed"))
    folder = session.state_folder()
    if folder is None:
        raise typer.BadParameter(t("这里没有本机平台；请用 --token-file", "no local platform here; use --token-file"))
    from alliance_local.issuer import Issuer

    return Issuer(folder / "issuer").mint(subject, organization)
