"""The views of docs/shops/ over the tables of the shop systems: what they say is what customers are told.

The MySQL views run on a real MariaDB where there is one, and on SQLite with three of MySQL's functions lent to it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pymysql
import pytest
import sqlalchemy as sa
from pymysql.constants import CLIENT

import yaml_files
from actions.orders.models import Order, OrderStatus
from actions.orders.repository import OrderRepository
from actions.orders.rows import RowReader

Shop = Callable[[str, list[str]], str]
DOCS = Path(__file__).parents[3] / "docs" / "shops"
ANA = "+5511912345678"
PARCEL = ('a:1:{i:0;a:6:{s:17:"tracking_provider";s:8:"correios";s:24:"custom_tracking_provider";s:0:"";'
          's:20:"custom_tracking_link";s:29:"https://track.example/AA1BR22";s:15:"tracking_number";s:7:"AA1BR22";'
          's:12:"date_shipped";s:10:"1795910400";}}')  # fmt: skip
HPOS = f"""
CREATE TABLE wp_wc_orders (id bigint PRIMARY KEY, status varchar(20), currency varchar(10), type varchar(20),
  total_amount decimal(26,8), customer_id bigint, billing_email varchar(320), date_created_gmt datetime);
CREATE TABLE wp_wc_order_addresses (id integer PRIMARY KEY, order_id bigint NOT NULL, address_type varchar(20),
  first_name text, last_name text, email varchar(320), phone varchar(100));
CREATE TABLE wp_wc_orders_meta (id integer PRIMARY KEY, order_id bigint, meta_key varchar(255), meta_value text);
INSERT INTO wp_wc_orders VALUES (1043,'wc-processing','BRL','shop_order',90,1,'a@x.example','2026-11-20 02:30:00'),
  (1044,'wc-completed','BRL','shop_order',20,1,'a@x.example','2026-11-21 10:00:00'),
  (1045,'wc-refunded','BRL','shop_order_refund',-20,1,NULL,'2026-11-22 10:00:00'),
  (1046,'auto-draft','BRL','shop_order',0,0,NULL,'2026-11-22 10:00:00'),
  (1047,'wc-on-hold','BRL','shop_order',5,2,NULL,'2026-11-23 10:00:00');
INSERT INTO wp_wc_order_addresses (order_id, address_type, first_name, last_name, phone) VALUES
  (1043,'billing','Ana','Reis','(11) 91234-5678'), (1043,'shipping','Ana','Reis',''),
  (1044,'billing','Ana','Reis','{ANA}'), (1047,'billing','Zeca','Lima','21 99876-5432');
INSERT INTO wp_wc_orders_meta (order_id, meta_key, meta_value) VALUES (1044,'_wc_shipment_tracking_items','{PARCEL}'),
  (1044,'_other','x');
"""
ITEMS = """
CREATE TABLE wp_woocommerce_order_items (order_item_id integer PRIMARY KEY, order_item_name text,
  order_item_type varchar(200), order_id bigint);
CREATE TABLE wp_woocommerce_order_itemmeta (meta_id integer PRIMARY KEY, order_item_id bigint, meta_key varchar(255),
  meta_value text);
INSERT INTO wp_woocommerce_order_items VALUES (7,'Caneca','line_item',1043), (8,'Frete','shipping',1043);
INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value) VALUES (7,'_qty','2'),
  (7,'_line_total','90');
"""
LEGACY = f"""
CREATE TABLE wp_posts (ID integer PRIMARY KEY, post_type varchar(20), post_status varchar(20), post_date_gmt datetime);
CREATE TABLE wp_postmeta (meta_id integer PRIMARY KEY, post_id bigint, meta_key varchar(255), meta_value text);
INSERT INTO wp_posts VALUES (1043,'shop_order','wc-processing','2026-11-20 02:30:00'),
  (1044,'shop_order','wc-completed','2026-11-21 10:00:00'), (1045,'page','publish','2026-11-22 10:00:00'),
  (1047,'shop_order','wc-on-hold','2026-11-23 10:00:00');
INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES (1043,'_billing_phone','(11) 91234-5678'),
  (1043,'_billing_first_name','Ana'), (1044,'_billing_phone','{ANA}'), (1044,'_wc_shipment_tracking_items','{PARCEL}'),
  (1047,'_billing_phone','21 99876-5432');
"""
MAGENTO = f"""
CREATE TABLE sales_order (entity_id integer PRIMARY KEY, state varchar(32), status varchar(32),
  increment_id varchar(50),
  shipping_address_id int, billing_address_id int, order_currency_code varchar(3), created_at timestamp,
  grand_total decimal(20,4));
CREATE TABLE sales_order_address (entity_id integer PRIMARY KEY, parent_id int, address_type varchar(255),
  firstname varchar(255), lastname varchar(255), telephone varchar(255));
CREATE TABLE sales_shipment_track (entity_id integer PRIMARY KEY, parent_id int, order_id int, track_number text,
  title varchar(255), carrier_code varchar(32));
CREATE TABLE sales_order_item (item_id integer PRIMARY KEY, order_id int, parent_item_id int, name varchar(255),
  qty_ordered decimal(12,4), price decimal(12,4));
INSERT INTO sales_order VALUES (43,'processing','processing','000001043',NULL,1,'BRL','2026-11-20 02:30:00',90),
  (44,'complete','complete','000001044',2,3,'BRL','2026-11-21 10:00:00',20),
  (47,'new','pending','000001047',NULL,5,'BRL','2026-11-23 10:00:00',5);
INSERT INTO sales_order_address VALUES (1,43,'billing','Ana','Reis','(11) 91234-5678'),
  (2,44,'shipping','Ana','Reis','1'),
  (3,44,'billing','Ana','Reis','{ANA}'), (5,47,'billing','Zeca','Lima','21 99876-5432');
INSERT INTO sales_shipment_track VALUES (1,1,44,'OLD','Correios','custom'), (2,2,44,'AA1BR22','Correios','custom');
INSERT INTO sales_order_item VALUES (7,43,NULL,'Caneca',2,45), (8,43,7,'Caneca azul',2,0);
"""
ODOO = f"""
CREATE TABLE res_partner (id serial PRIMARY KEY, name varchar, phone varchar);
CREATE TABLE sale_order (id serial PRIMARY KEY, name varchar NOT NULL, state varchar, partner_id int,
  date_order timestamp,
  commitment_date timestamp);
CREATE TABLE sale_order_line (id serial PRIMARY KEY, order_id int, name text, product_uom_qty numeric,
  price_unit numeric,
  display_type varchar);
CREATE TABLE stock_picking_type (id serial PRIMARY KEY, code varchar);
CREATE TABLE delivery_carrier (id serial PRIMARY KEY, name jsonb);
CREATE TABLE stock_picking (id serial PRIMARY KEY, sale_id int, picking_type_id int, state varchar,
  scheduled_date timestamp,
  carrier_id int, carrier_tracking_ref varchar);
INSERT INTO res_partner VALUES (1,'Ana Reis','{ANA}'), (2,'Zeca Lima','21 99876-5432');
INSERT INTO sale_order VALUES (43,'S01043','sale',1,'2026-11-20 02:30:00','2026-11-29 01:00:00'),
  (44,'S01044','sale',1,'2026-11-21 10:00:00',NULL), (46,'S01046','draft',1,'2026-11-22 10:00:00',NULL),
  (47,'S01047','sale',2,'2026-11-23 10:00:00',NULL);
INSERT INTO sale_order_line VALUES (7,43,'Caneca',2,45,NULL), (8,43,'Obrigado',0,0,'line_note');
INSERT INTO stock_picking_type VALUES (1,'outgoing'), (2,'incoming');
INSERT INTO delivery_carrier VALUES (1,'{{"en_US": "Correios", "pt_BR": "Correios"}}');
INSERT INTO stock_picking VALUES (1,44,1,'done','2026-11-25 12:00:00',1,'AA1BR22'),
  (2,44,2,'done','2026-11-26 12:00:00',NULL,NULL),
  (3,44,1,'cancel','2026-11-27 12:00:00',1,'NONE'), (4,43,1,'confirmed','2026-11-26 12:00:00',1,NULL);
"""


def blocks(page: str, kind: str = "sql") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.M | re.S)


def reader(page: str) -> RowReader:
    said = yaml_files.parsed(blocks(page, "yaml")[0])["orders"].get("statuses") or {}
    return RowReader("BR", "America/Sao_Paulo", said)


def on_sqlite(tmp_path: Path, tables: str, views: list[str]) -> str:
    """MySQL's views over MySQL's tables; what they say is copied, as other connections lack MySQL's functions."""
    connection = sqlite3.connect(tmp_path / "shop.db")
    lent: dict[str, tuple[int, Callable[..., str | None]]] = {
        "CONCAT": (-1, lambda *parts: None if None in parts else "".join(map(str, parts))),
        "CONCAT_WS": (-1, lambda gap, *parts: gap.join(str(part) for part in parts if part is not None)),
        "SUBSTRING_INDEX": (3, lambda text, by, n: by.join(text.split(by)[:n] if n > 0 else text.split(by)[n:])),
    }
    for name, (arguments, function) in lent.items():
        connection.create_function(name, arguments, function)
    connection.executescript(tables)
    for view in views:
        connection.executescript(view)
    for name in ("orders", "order_items"):
        connection.executescript(
            f"CREATE TABLE copied AS SELECT * FROM {name}; DROP VIEW {name}; ALTER TABLE copied RENAME TO {name}"
        )
    connection.close()
    return f"sqlite:///{tmp_path}/shop.db"


def on_mariadb(url: str, tables: str, views: list[str]) -> str:
    """The views on the server that they are made for."""
    at = sa.engine.make_url(url)
    connection = pymysql.connect(
        host=at.host, port=at.port, user=at.username, database=at.database, client_flag=CLIENT.MULTI_STATEMENTS
    )
    with connection.cursor() as cursor:
        for script in (tables.replace("integer PRIMARY KEY", "integer AUTO_INCREMENT PRIMARY KEY"), *views):
            cursor.execute(script)
            while cursor.nextset():
                pass
    connection.commit()
    connection.close()
    return url


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """Makes a shop's database of its tables and our views."""
    if request.param == "sqlite":
        return lambda tables, views: on_sqlite(tmp_path, tables, views)
    url = request.getfixturevalue("mariadb_url")
    return lambda tables, views: on_mariadb(url, tables, views)


def told(url: str, page: str) -> list[Order]:
    repository = OrderRepository(url, reader(page))
    found = repository.all_orders(ANA)
    assert repository.find([order.number for order in found], ANA).keys() == {order.number for order in found}
    assert repository.find([order.number for order in repository.all_orders("+5521998765432")], ANA) == {}
    repository.close()
    return found


@pytest.mark.parametrize(("tables", "views"), [(HPOS + ITEMS, (0, 2)), (LEGACY + ITEMS, (1, 2))], ids=["own", "posts"])
def test_orders_of_woocommerce_are_told(shop: Shop, tables: str, views: tuple[int, ...]) -> None:
    sql = blocks("woocommerce")
    shipped, open_one = told(shop(tables, [sql[n] for n in views]), "woocommerce")
    assert (shipped.number, shipped.status) == ("1044", OrderStatus.DELIVERED)
    assert (shipped.carrier, shipped.tracking_number) == ("correios", "AA1BR22")
    assert shipped.tracking_url == "https://track.example/AA1BR22"
    assert (open_one.number, open_one.status) == ("1043", OrderStatus.CONFIRMED)
    if "wp_wc_orders" in tables:
        assert (open_one.total, open_one.currency) == (90, "BRL")
    assert open_one.placed_at
    assert open_one.placed_at.date() == date(2026, 11, 19), "half past two at night in UTC"
    assert [(item.title, item.quantity) for item in open_one.items] == [("Caneca", 2)]


def test_orders_of_magento_are_told(shop: Shop) -> None:
    shipped, open_one = told(shop(MAGENTO, blocks("magento")), "magento")
    assert (shipped.number, shipped.status, shipped.tracking_number) == ("000001044", OrderStatus.SHIPPED, "AA1BR22")
    assert (open_one.number, open_one.status) == ("000001043", OrderStatus.CONFIRMED)
    assert [(item.title, item.quantity, item.currency) for item in open_one.items] == [("Caneca", 2, "BRL")]
    assert (open_one.total, open_one.currency) == (90, "BRL")


def test_orders_of_odoo_are_told(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url, future=True)
    with engine.begin() as connection:
        connection.exec_driver_sql(ODOO)
        *views, rights = blocks("odoo")
        for view in views:
            connection.exec_driver_sql(view)
        connection.exec_driver_sql("".join(line for line in rights.splitlines(True) if line.startswith("CREATE INDEX")))
    engine.dispose()
    shipped, open_one = told(postgres_url, "odoo")
    assert (shipped.number, shipped.status, shipped.carrier) == ("S01044", OrderStatus.SHIPPED, "Correios")
    assert (shipped.tracking_number, shipped.estimated_delivery) == ("AA1BR22", date(2026, 11, 25))
    assert (open_one.number, open_one.status) == ("S01043", OrderStatus.CONFIRMED)
    assert open_one.estimated_delivery == date(2026, 11, 28)
    assert [(item.title, item.quantity) for item in open_one.items] == [("Caneca", 2)]


@pytest.mark.parametrize("page", ["woocommerce", "magento", "odoo", "hosted"])
def test_what_a_page_says_for_shop_yml_can_be_used(page: str, tmp_path: Path) -> None:
    import shop

    for block in blocks(page, "yaml"):
        (tmp_path / "shop.yml").write_text(f"name: Oak\n{block}", encoding="utf-8")
        assert shop.read(tmp_path).orders["id_examples"]
