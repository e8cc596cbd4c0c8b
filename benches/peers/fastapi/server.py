"""App offerings in FastAPI with SQLAlchemy's ORM: python server.py PORT DATABASE

DATABASE is a postgres:// URL or the path of a SQLite file; its tables are made by the benchmark.
"""

import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

import uvicorn
from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import DateTime, ForeignKey, Row, Select, String, Text, create_engine, event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

port, database = int(sys.argv[1]), sys.argv[2]
is_postgres = database.startswith("postgres")
T = TypeVar("T")

if is_postgres:
    engine = create_async_engine(
        database.replace("postgres://", "postgresql+asyncpg://", 1), pool_size=10, max_overflow=0
    )

    async def run(work: Callable[..., T], *args) -> T:
        async with AsyncSession(engine) as session:
            return await session.run_sync(work, *args)
else:
    engine = create_engine(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def durable(connection, _record) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    # In the server's own thread: on one core faster than a pool of threads or aiosqlite.
    async def run(work: Callable[..., T], *args) -> T:
        with Session(engine) as session:
            return work(session, *args)


def node_id(kind: str, number: int) -> str:
    return urlsafe_b64encode(f"example.test/{kind}/{number}".encode()).rstrip(b"=").decode()


# SQLite keeps timestamps as the texts that go out.
Timestamp = DateTime(timezone=True) if is_postgres else Text


class Base(DeclarativeBase):
    pass


class ServiceInstance(Base):
    __tablename__ = "service_instances"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class UiExtensionVersion(Base):
    __tablename__ = "ui_extension_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(190))
    version: Mapped[int]


class AppOffering(Base):
    __tablename__ = "app_offerings"
    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(161), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    source: Mapped[str | None] = mapped_column(String(30))
    source_id: Mapped[str | None] = mapped_column(String(128))
    card_description: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None]
    features: Mapped[str | None]
    compliance: Mapped[str | None]
    disabled: Mapped[bool] = mapped_column(default=False)
    picture_uri: Mapped[str | None]
    policy_jwt_alg: Mapped[str | None] = mapped_column(String(5))
    policy_jwt_audience: Mapped[str | None]
    policy_jwt_claim_expires_in: Mapped[int | None]
    service_instance_id: Mapped[int] = mapped_column(ForeignKey("service_instances.id"))
    ui_extension_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("ui_extension_versions.id")
    )
    webhook_uri_template: Mapped[str | None] = mapped_column(String(255))
    configuration_uri_template: Mapped[str | None] = mapped_column(String(255))
    openid_connect_discovery: Mapped[bool] = mapped_column(default=False)
    requires_enabled_oauth_person: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime | str] = mapped_column(Timestamp)
    updated_at: Mapped[datetime | str] = mapped_column(Timestamp)


LIST_COLUMNS = (
    AppOffering.id,
    AppOffering.reference,
    AppOffering.name,
    AppOffering.source_id,
    AppOffering.disabled,
    AppOffering.policy_jwt_alg,
    AppOffering.policy_jwt_audience,
    AppOffering.policy_jwt_claim_expires_in,
    AppOffering.webhook_uri_template,
    AppOffering.created_at,
    AppOffering.updated_at,
    AppOffering.service_instance_id,
    ServiceInstance.name.label("service_instance_name"),
)

ITEM_COLUMNS = (
    *LIST_COLUMNS,
    AppOffering.source,
    AppOffering.card_description,
    AppOffering.description,
    AppOffering.features,
    AppOffering.compliance,
    AppOffering.picture_uri,
    AppOffering.configuration_uri_template,
    AppOffering.openid_connect_discovery,
    AppOffering.requires_enabled_oauth_person,
    AppOffering.ui_extension_version_id,
    UiExtensionVersion.name.label("ui_extension_version_name"),
    UiExtensionVersion.version.label("ui_extension_version_nr"),
)


class Reference(BaseModel):
    id: int
    name: str
    nodeID: str


class VersionReference(Reference):
    version: int


class ListItem(BaseModel):
    id: int
    sourceID: str | None
    nodeID: str
    reference: str
    name: str
    policy_jwt_alg: str | None
    policy_jwt_audience: str | None
    policy_jwt_claim_expires_in: int | None
    service_instance: Reference
    webhook_uri_template: str | None
    created_at: str
    updated_at: str
    # Only set, and so only shown, on disabled records.
    disabled: bool = False


class FullItem(ListItem):
    source: str | None
    card_description: str | None
    description: str | None
    features: str | None
    compliance: str | None
    picture_uri: str | None
    ui_extension_version: VersionReference | None
    configuration_uri_template: str | None
    openid_connect_discovery: bool
    requires_enabled_oauth_person: bool
    attachments: list[dict]


class Create(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=128)]
    policy_jwt_alg: Literal["rs256", "rs384", "rs512", "es256", "es384", "es512"]
    policy_jwt_claim_expires_in: int | None = None
    service_instance_id: int
    webhook_uri_template: Annotated[str, Field(min_length=1, max_length=255)]
    disabled: bool = False


SORTS = {
    direction + name: (column.desc(), AppOffering.id.desc()) if direction else (column, AppOffering.id)
    for name, column in {
        "reference": AppOffering.reference,
        "name": AppOffering.name,
        "created_at": AppOffering.created_at,
        "updated_at": AppOffering.updated_at,
    }.items()
    for direction in ("", "-")
}


class Paging(BaseModel, extra="forbid"):
    page: Annotated[int, Field(ge=1)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 20
    sort: Literal[*SORTS] = "reference"
    disabled: bool | None = None


def timestamp(value: datetime | str) -> str:
    return value if isinstance(value, str) else f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def list_fields(row: Row) -> dict:
    fields = {
        "id": row.id,
        "sourceID": row.source_id,
        "nodeID": node_id("AppOffering", row.id),
        "reference": row.reference,
        "name": row.name,
        "policy_jwt_alg": row.policy_jwt_alg,
        "policy_jwt_audience": row.policy_jwt_audience,
        "policy_jwt_claim_expires_in": row.policy_jwt_claim_expires_in,
        "service_instance": Reference(
            id=row.service_instance_id,
            name=row.service_instance_name,
            nodeID=node_id("ServiceInstance", row.service_instance_id),
        ),
        "webhook_uri_template": row.webhook_uri_template,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }
    if row.disabled:
        fields["disabled"] = True
    return fields


def full_item(row: Row) -> FullItem:
    version = None
    if row.ui_extension_version_id is not None:
        version = VersionReference(
            id=row.ui_extension_version_id,
            name=row.ui_extension_version_name,
            version=row.ui_extension_version_nr,
            nodeID=node_id("UiExtensionVersion", row.ui_extension_version_id),
        )
    return FullItem(
        **(list_fields(row) | {"disabled": row.disabled}),
        source=row.source,
        card_description=row.card_description,
        description=row.description,
        features=row.features,
        compliance=row.compliance,
        picture_uri=row.picture_uri,
        ui_extension_version=version,
        configuration_uri_template=row.configuration_uri_template,
        openid_connect_discovery=row.openid_connect_discovery,
        requires_enabled_oauth_person=row.requires_enabled_oauth_person,
        attachments=[],
    )


def page(session: Session, query: Paging) -> tuple[list[Row], int]:
    def filtered(statement: Select) -> Select:
        if query.disabled is None:
            return statement
        return statement.where(AppOffering.disabled == query.disabled)

    rows = session.execute(
        filtered(select(*LIST_COLUMNS))
        .join(ServiceInstance, ServiceInstance.id == AppOffering.service_instance_id)
        .order_by(*SORTS[query.sort])
        .limit(query.per_page)
        .offset((query.page - 1) * query.per_page)
    )
    total = session.scalar(filtered(select(func.count()).select_from(AppOffering)))
    return list(rows), total or 0


def find(session: Session, id: int) -> Row | None:
    return session.execute(
        select(*ITEM_COLUMNS)
        .join(ServiceInstance, ServiceInstance.id == AppOffering.service_instance_id)
        .outerjoin(UiExtensionVersion, UiExtensionVersion.id == AppOffering.ui_extension_version_id)
        .where(AppOffering.id == id)
    ).one_or_none()


def create(session: Session, body: Create, source: str) -> Row | None:
    if session.get(ServiceInstance, body.service_instance_id) is None:
        raise HTTPException(422, [["service_instance", "Service instance must exist"]])
    now = datetime.now(UTC).replace(microsecond=0)
    offering = AppOffering(
        **body.model_dump(),
        reference="wdc_" + body.name.strip().lower().replace(" ", "_"),
        source=source,
        created_at=now if is_postgres else timestamp(now),
        updated_at=now if is_postgres else timestamp(now),
    )
    session.add(offering)
    try:
        session.flush()
    except IntegrityError:
        raise HTTPException(422, [["reference", "Reference has already been taken"]]) from None
    row = find(session, offering.id)
    session.commit()
    return row


def links(request: Request, page: int, pages: int) -> str:
    def link(number: int, rel: str) -> str:
        return f'<{request.url.include_query_params(page=number)}>; rel="{rel}"'

    found = [link(1, "first"), link(page - 1, "prev")] if page > 1 else []
    if page < pages:
        found.append(link(page + 1, "next"))
    return ",".join(found)


app = FastAPI()


@app.get("/v1/app_offerings", response_model_exclude_unset=True)
async def list_offerings(
    query: Annotated[Paging, Query()], request: Request, response: Response
) -> list[ListItem]:
    rows, total = await run(page, query)
    pages = max(1, -(-total // query.per_page))
    response.headers["X-Pagination-Per-Page"] = str(query.per_page)
    response.headers["X-Pagination-Current-Page"] = str(query.page)
    response.headers["X-Pagination-Total-Pages"] = str(pages)
    response.headers["X-Pagination-Total-Entries"] = str(total)
    if pages > 1:
        response.headers["Link"] = links(request, query.page, pages)
    return [ListItem(**list_fields(row)) for row in rows]


@app.get("/v1/app_offerings/{id}")
async def get_offering(id: int) -> FullItem:
    row = await run(find, id)
    if row is None:
        raise HTTPException(404, "Not Found")
    return full_item(row)


@app.post("/v1/app_offerings", status_code=201)
async def create_offering(body: Create, request: Request, response: Response) -> FullItem:
    source = request.headers.get("user-agent", "Xurrent API")[:30]
    row = await run(create, body, source)
    response.headers["Location"] = f"http://wdc.example.test/app_offerings/{row.id}"
    return full_item(row)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning")
