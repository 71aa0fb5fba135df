"""The join of hosts with rates and sizes of their own: explained damage passes, nothing else."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import adapted
from join import Span

DEVICE = adapted.Device(48_000, 64)
START = 1000     # the device period of the session's position 0
WINDOW = 2400
RTL = 500        # of the sine's host, in its own frames
FILTER = 40      # half of one filter, the same

COMMON = {"process_id": 7, "gaps": [], "backward_positions": 0, "repeated_halves": 0,
          "stalled": False, "rtl_consistent": True, "callbacks": 1000, "late": 0, "floor_late": 0}
SINE = {**COMMON, "rate_hz": 96_000, "buffer_frames": 128, "rtl_frames": RTL,
        "reported_rtl_frames": RTL, "reported_input_frames": 128 + FILTER, "sine_hz": 997,
        "sine_window_frames": WINDOW, "sine_windows": 50, "sine_snr_db": 145.0,
        "sine_worst_db": 144.0, "sine_gain_db": 0.0, "sine_rtl_frames": RTL + 0.4,
        "sine_damaged": []}
NOISE = {**COMMON, "rate_hz": 48_000, "buffer_frames": 512, "rtl_frames": 1024,
         "reported_rtl_frames": 1024, "reported_input_frames": 512, "compared_frames": 500_000,
         "mismatched_frames": 0, "mismatches": [], "rtl_bit_exact": True}

#: Frames of a device period, at the sine's rate.
PERIOD = 128


def flight(*xruns: dict, written: int | None = None) -> dict:
    sessions = [{"id": 3, "process_id": 7, "buffer_frames": size, "start_period": START}
                for size in (128, 512)]
    return {"sessions": sessions, "xruns": list(xruns),
            "events_written": len(xruns) if written is None else written}


def xrun(period: int, client: int = 3, periods: int = 1, cause: str = "late_client") -> dict:
    """`period` counts from the session's start."""
    return {"first_period": START + period, "periods": periods, "causes": [cause],
            "client": client, "duration_us": 10.0}


def row(report: dict, *xruns: dict) -> dict:
    return adapted.row_of(adapted.HostRun.from_json(report), flight(*xruns), DEVICE, "native")


def damaged(*first: int, frames: int = WINDOW) -> dict:
    return {**SINE, "sine_damaged": [{"position": at, "frames": frames} for at in first]}


class Green(unittest.TestCase):
    def test_clean_runs_are_green_and_say_what_was_measured(self) -> None:
        sine, noise = row(SINE), row(NOISE)
        self.assertEqual(sine["problems"] + noise["problems"], [])
        self.assertEqual((sine["rtl_frames"], sine["snr_db"]), (RTL + 0.4, 145.0))
        self.assertNotIn("bit_exact", sine)
        self.assertIs(noise["bit_exact"], True)
        self.assertNotIn("snr_db", noise)

    def test_causes_are_counted_for_the_host_and_for_everybody_but_not_for_others(self) -> None:
        events = (xrun(3), xrun(9, client=0, cause="late_wake"), xrun(5, client=4))
        self.assertEqual(row(SINE, *events)["xruns"], {"late_client": 1, "late_wake": 1})


class Damage(unittest.TestCase):
    def test_damage_without_an_event_is_found(self) -> None:
        for report in (damaged(10_000),
                       {**NOISE, "mismatches": [{"position": 10_000, "frames": WINDOW}]},
                       {**NOISE, "gaps": [{"position": 10_000, "frames": WINDOW}]}):
            with self.subTest(report=report):
                found = row(report)
                self.assertEqual(found["unexplained_frames"], WINDOW)
                self.assertIn("nothing explains it", found["problems"][0])

    def test_an_event_of_another_host_explains_nothing(self) -> None:
        self.assertEqual(row(damaged(10_000), xrun(79, client=4))["unexplained_frames"], WINDOW)

    def test_a_window_is_explained_by_events_from_a_round_trip_before_it_to_its_end(self) -> None:
        # Whole periods of 128 frames: the window [12800, 15200) lies in 100 to 118.
        reach = (PERIOD + RTL + 2 * FILTER + 1) // PERIOD    # periods that an event reaches
        for period, explained in ((100 - reach - 1, False), (100 - reach, True), (110, True),
                                  (118, True), (119, False)):
            with self.subTest(period=period):
                found = row(damaged(12_800), xrun(period))
                self.assertEqual(found["unexplained_frames"], 0 if explained else WINDOW)

    def test_merged_windows_are_judged_one_by_one(self) -> None:
        found = row(damaged(12_800, frames=3 * WINDOW), xrun(101))
        self.assertEqual(found["unexplained_frames"], 2 * WINDOW)

    def test_bits_are_explained_frame_by_frame(self) -> None:
        # An event of period 16 reaches from frame 1024 over its own 64 and 1024 of the round trip.
        report = {**NOISE, "mismatches": [{"position": 984, "frames": 1200}]}
        left = 40 + 2184 - (1024 + 64 + 1024)
        self.assertEqual(row(report, xrun(16))["unexplained_frames"], left)

    def test_the_block_that_an_event_interrupts_is_silence_from_its_beginning(self) -> None:
        # Period 20 begins at frame 1280, in the block from 1024 on.
        for first, left in ((1024, 0), (1000, 24)):
            with self.subTest(first=first):
                report = {**NOISE, "mismatches": [{"position": first, "frames": 300}]}
                self.assertEqual(row(report, xrun(20, client=0))["unexplained_frames"], left)

    def test_a_second_event_takes_over_where_the_first_one_ends(self) -> None:
        # Period 8 reaches from 512 to 1600; blocks begin at 1536 and 2048.
        report = {**NOISE, "mismatches": [{"position": 512, "frames": 2000}]}
        self.assertEqual(row(report, xrun(24), xrun(8))["unexplained_frames"], 0)
        self.assertEqual(row(report, xrun(32), xrun(8))["unexplained_frames"], 2048 - 1600)

    def test_a_dropped_block_may_lie_a_round_trip_before_the_period_that_dropped_it(self) -> None:
        # Period 30 begins at frame 1920.
        for position, left in ((512, 0), (0, 512)):
            with self.subTest(position=position):
                report = {**NOISE, "gaps": [{"position": position, "frames": 512}]}
                self.assertEqual(row(report, xrun(30))["unexplained_frames"], left)
        # What was heard is never explained by what came later.
        report = {**NOISE, "mismatches": [{"position": 1000, "frames": 500}]}
        self.assertEqual(row(report, xrun(30))["unexplained_frames"], 500)

    def test_a_rate_that_is_no_multiple_is_followed_for_an_hour(self) -> None:
        report = {**SINE, "rate_hz": 44_100, "sine_damaged": [
            {"position": 44_100 * 3600 + 200, "frames": WINDOW}]}
        period = 48_000 * 3600 // 64
        self.assertEqual(row(report, xrun(period))["unexplained_frames"], 0)
        for other in (period - 20, period + 60):
            self.assertEqual(row(report, xrun(other))["unexplained_frames"], WINDOW)

    def test_a_recorder_that_forgot_events_is_red_when_there_was_damage(self) -> None:
        run = adapted.HostRun.from_json(damaged(12_800))
        found = adapted.row_of(run, flight(xrun(100), written=9000), DEVICE, "native")
        self.assertTrue(found["problems"])

    def test_a_session_unknown_to_the_service_is_red(self) -> None:
        self.assertTrue(row({**SINE, "process_id": 8})["problems"])


class Promises(unittest.TestCase):
    def test_each_broken_promise_is_red_whatever_the_machine_did(self) -> None:
        for base, broken in (
                (SINE, {"sine_snr_db": 129.9}), (SINE, {"sine_snr_db": None}),
                (SINE, {"sine_gain_db": -0.02}), (SINE, {"sine_windows": 20}),
                (SINE, {"sine_rtl_frames": RTL + 1.1}), (SINE, {"sine_rtl_frames": None}),
                (SINE, {"rtl_consistent": False}), (SINE, {"stalled": True}),
                (SINE, {"backward_positions": 1}), (SINE, {"repeated_halves": 1}),
                (NOISE, {"rtl_bit_exact": False}), (NOISE, {"compared_frames": 1000}),
                (NOISE, {"rtl_frames": 1026}), (NOISE, {"rtl_frames": None}),
                (NOISE, {"rate_hz": 44_100})):
            with self.subTest(broken=broken):
                everything = xrun(0, client=0, periods=100_000)
                self.assertEqual(len(row({**base, **broken}, everything)["problems"]), 1)

    def test_a_report_without_a_member_is_refused(self) -> None:
        for report in (SINE, NOISE):
            for name in report:
                if name in ("sine_hz", "mismatched_frames"):
                    continue
                with self.subTest(name=name), self.assertRaises(KeyError):
                    adapted.HostRun.from_json({key: report[key] for key in report if key != name})


class Flights(unittest.TestCase):
    def test_two_records_of_one_run_become_one_without_doubles_or_holes(self) -> None:
        events = [xrun(number) for number in range(100)]
        older = flight(*events[10:60], written=60)
        newer = flight(*events[40:], written=100)
        merged = adapted.merge_flights(older, newer)
        self.assertEqual(merged["xruns"], events[10:])
        self.assertEqual(merged["events_written"], 100)
        self.assertEqual(adapted.merge_flights(None, newer)["xruns"], events[40:])
        # A hole stays a hole: the judge must see that events are missing.
        hole = adapted.merge_flights(flight(*events[:20], written=20), newer)
        self.assertEqual(len(hole["xruns"]), 60)

    def test_spans_are_measured_in_frames(self) -> None:
        self.assertEqual(adapted.beyond(Span(0, 10), [adapted.Reach(2, 4), adapted.Reach(3, 5)]), 7)
        self.assertEqual(dataclasses.asdict(DEVICE), {"rate_hz": 48_000, "period_frames": 64})


if __name__ == "__main__":
    unittest.main()
