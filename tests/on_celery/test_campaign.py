"""Kills, restarts and cut lines: no job that RabbitMQ has acknowledged is lost."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes.celery_campaign import Campaign
from fakes.celery_jobs import read_ledger
from fakes.celery_workers import Site, until
from fakes.rabbitmq import RabbitMQ


@pytest.mark.unmeasured
def test_killed_workers_lose_no_job(site: Site, rabbitmq: RabbitMQ) -> None:
    campaign = Campaign(site, rabbitmq, seed=1, slots=8)
    with ThreadPoolExecutor() as executor:
        submits = campaign.submit(executor, jobs=60, seconds=0.5)
        campaign.kill(2, 0.3, 0.6)
        for submit in submits:
            submit.result()
    campaign.until_done(60)
    campaign.close()

    outcome = campaign.outcome()

    assert outcome.acknowledged == 60
    assert outcome.lost == []


@pytest.mark.stress
@pytest.mark.timeout(900)
def test_a_campaign_of_kills_cuts_and_a_restart_loses_no_job(
    own_rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    site = Site(own_rabbitmq.url, tmp_path, broker_heartbeat=10)
    campaign = Campaign(site, own_rabbitmq, seed=1, slots=16)
    with ThreadPoolExecutor() as executor:
        submits = campaign.submit(executor, jobs=2000, seconds=2.0)
        campaign.kill(10, 0.8, 2.6)
        campaign.restart_node()
        campaign.kill(10, 0.8, 2.6)
        for submit in submits:
            submit.result()
    campaign.until_done(2000)
    campaign.close()
    outcome = campaign.outcome()
    sys.stdout.write(f"\nkills: {outcome}\n")
    site.close()

    assert outcome.acknowledged == 2000
    assert outcome.lost == []


@pytest.mark.stress
@pytest.mark.timeout(600)
def test_a_cut_of_45_s_loses_no_job_and_runs_none_twice_at_once(
    own_rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    site = Site(own_rabbitmq.url, tmp_path, broker_heartbeat=10)
    campaign = Campaign(site, own_rabbitmq, seed=1, slots=8)
    with ThreadPoolExecutor() as executor:
        submits = campaign.submit(executor, jobs=600, seconds=3.0)
        until(lambda: len(read_ledger(site.ledger)) > 60)
        campaign.line.cut()
        threading.Event().wait(45)
        campaign.line.mend()
        for submit in submits:
            submit.result()
    campaign.until_done(600)
    campaign.close()
    outcome = campaign.outcome()
    sys.stdout.write(f"\ncut: {outcome}\n")
    site.close()

    assert outcome.acknowledged == 600
    assert outcome.lost == []
    assert outcome.twice_at_once == []


@pytest.mark.stress
@pytest.mark.timeout(300)
def test_300_cancels_of_waiting_and_running_jobs(site: Site) -> None:
    for _ in range(3):
        site.launch_worker(slots=4)
    for worker in site.workers:
        worker.until_ready()
    chance = random.Random(2)
    submit = site.tasks.work.apply_async
    seconds = [chance.uniform(0.1, 1.2) for _ in range(300)]
    results = [
        submit((site.ledger, f"job{number}", length), ignore_result=True)
        for number, length in enumerate(seconds)
    ]
    revoked: dict[str, float] = {}
    for number in chance.sample(range(300), 300):
        threading.Event().wait(chance.uniform(0, 0.1))
        results[number].revoke(terminate=True)
        revoked[f"job{number}"] = time.time()
    settled = site.tasks.add.delay(1)  # behind all others
    settled.get(timeout=120)
    entries = read_ledger(site.ledger)
    late = {e.job for e in entries if e.event == "start" and e.at > revoked[e.job] + 0.1}
    ended = {e.job for e in entries if e.event == "end" and e.at > revoked[e.job] + 1}
    stops = sorted(e.at - revoked[e.job] for e in entries if e.event == "cancelled")
    events = Counter(entry.event for entry in entries)
    sys.stdout.write(
        f"\ncancels: {dict(events)}, {300 - events['start']} never started,"
        f" {len(late)} started and {len(ended)} ended afterwards,"
        f" stopped after {stops[len(stops) // 2] * 1000:.0f} ms (median),"
        f" {stops[-1] * 1000:.0f} ms (longest)\n"
    )

    assert not late
    assert not ended
