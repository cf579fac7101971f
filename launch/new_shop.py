"""`python -m launch.new_shop DIR` (`make new-shop DIR=../oak`): begins the folder of a shop."""

from __future__ import annotations

import sys
from pathlib import Path

import signals
from launch.console import LaunchError, done, fail, say

SHOP = '''\
# Your shop. Every key is here; what stands in it is an example, so change it. Lines that begin with # are optional.
name: Oak & Spoke                # as customers know it: the assistant says "I'm Oak & Spoke's automated assistant"
region: GB                       # two capital letters (ISO 3166): how phones without a country code are read
languages: [en]                  # what it answers in, the first by default: en, hinglish, hi, pt, es
currency: GBP                    # three capital letters
time_zone: Europe/London         # days and opening hours are this place's
opening_hours:                   # of the people behind it, 24-hour clock; a day left out is closed
  monday: ["09:00-17:30"]
  tuesday: ["09:00-17:30"]
  wednesday: ["09:00-17:30"]
  thursday: ["09:00-17:30"]
  friday: ["09:00-13:00", "14:00-17:30"]
holidays: []                     # days on which nobody answers: [2027-01-01, 2027-12-25]
ticket_prefix: OS                # one to six capital letters: customers are told a number such as OS-1042
orders:                          # how your table of orders writes things
  id_examples: [WC-1001, WC-20455]   # real order numbers, the shortest and the longest: their shape is learnt from them
  # id_pattern: 'WC-\\d{4,6}'      # or the shape itself, as a regular expression, instead of examples
  statuses:                      # your words for a status, and what they mean. One of: placed confirmed packed shipped
    wc-processing: confirmed     # out_for_delivery delivered delayed cancelled returned refunded
    wc-completed: delivered
# updates:                       # what customers are told when your shop reports that something happened to their order
#   order.shipped: {text: "Your order {order} is on its way.", template: "order_shipped:en"}
# quiet_hours: "21:00-08:00"     # no such messages at night
# actions: [cancel, address, returns]   # what the assistant may ask your shop to do, after the customer has confirmed
'''

PAGE = '''\
# Delivery

<!-- An example: replace it with your own page. One page, one subject. Each heading begins a section, and a section is
what is found and quoted: plain headings, short sections, the words that customers use. Comments are never shown. -->

## What delivery costs

Delivery is £3.95. It is free for orders over £40. Next-day delivery costs £7.50.

## How long delivery takes

Orders arrive in 2 to 4 working days. Orders placed before 2 pm leave the same day.

## Collecting an order in the shop

You can collect an order free of charge at our shop in Leeds. We send a message when it is ready.
'''

QUESTIONS = '''\
# Your own test, run by `make check`: a question as customers write it, one tab, and what should happen:
# page#heading (answered from there), refuse (your pages do not say it), or an intent such as check_order_status.
how much is delivery	delivery#What delivery costs
when will it arrive if i order today	delivery#How long delivery takes
can i pick it up in the shop	delivery#Collecting an order in the shop
do you repair watches	refuse
'''

README = '''\
# {name}: a shop of the WhatsApp support assistant

| | |
| --- | --- |
| `shop.yml` | name, region, opening hours, order numbers, status words; every key is explained there |
| `policy_kb/` | your pages: Markdown (.md), plain text (.txt) or saved HTML (.html), in folders if you like |
| `questions.tsv` | what customers ask and where the answer stands: your own test |
| `responses.yml` | optional: responses that replace those of the project's `domain.yml`, by name, below `responses:` |
| `data/nlu/*.yml` | optional: phrases of your own, added to the project's |

In the project's folder, with `SHOP_DIR` naming this one:

    SHOP_DIR={folder} make check     # everything that is wrong, with file, reason and remedy
    SHOP_DIR={folder} make run       # try it in the browser
    SHOP_DIR={folder} make serve     # for customers

Orders are read from the table or view `orders` of `ORDERS_DATABASE_URL`. Keep this folder in a repository of its own:
an upgrade of the project never touches it.
'''


def write(folder: Path) -> list[Path]:
    """Write the files of a new shop, parents as well. Raises LaunchError for a folder that is not empty."""
    if folder.exists() and not folder.is_dir():
        raise LaunchError(f"{folder} is a file. Remedy: name a new folder, such as DIR=../oak.")
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise LaunchError(f"{folder} is not empty. Remedy: name a new or an empty folder, such as DIR=../oak.")
        texts = {"shop.yml": SHOP, "policy_kb/delivery.md": PAGE, "questions.tsv": QUESTIONS,
                 "README.md": README.format(name=folder.name, folder=folder)}  # fmt: skip
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LaunchError(
            f"{folder} cannot be written: {error.strerror}. Remedy: a folder that you may write to."
        ) from None
    return [folder / name for name in texts]


def main(arguments: list[str] | None = None) -> int:
    """The command. Exit status 1 where nothing was begun."""
    signals.restore()
    given = [one for one in (sys.argv[1:] if arguments is None else arguments) if one.strip()]
    if len(given) != 1 or given[0].startswith("-"):
        fail("Which folder? Remedy: make new-shop DIR=../oak (without blanks).")
        return 1
    folder = Path(given[0]).expanduser().resolve()
    try:
        written = write(folder)
    except LaunchError as error:
        fail(str(error))
        return 1
    done(f"Began a shop in {folder}: {', '.join(str(path.relative_to(folder)) for path in written)}")
    say(f"Edit them, then: SHOP_DIR={folder} make check")
    return 0


if __name__ == "__main__":
    sys.exit(main())
