"""The join decides whether a run was clean: explained damage passes, and nothing else."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import join

SIZE = 64
START = 1000  # the device period of the session's position 0
REPORT = {"process_id": 7, "buffer_frames": SIZE, "compared_frames": 48_000,
          "mismatched_frames": 0, "mismatches": [], "gaps": [], "backward_positions": 0,
          "repeated_halves": 0, "stalled": False, "rtl_frames": 128, "rtl_consistent": True,
          "reported_rtl_frames": 128, "callbacks": 750, "late": 0, "floor_late": 0, "p50_us": 1.0,
          "p99_us": 5.0, "driver": "asio-driver"}
CLEAN = join.HostRun.from_json(REPORT)


def flight(*xruns: dict, events_written: int | None = None, process_id: int = 7) -> dict:
    return {"sessions": [{"id": 3, "program": "host", "process_id": process_id,
                          "buffer_frames": SIZE, "start_period": START, "ended": True}],
            "xruns": list(xruns),
            "events_written": len(xruns) if events_written is None else events_written}


def xrun(period: int, client: int = 3, periods: int = 1, causes: tuple = ("late_client",)) -> dict:
    return {"first_period": period, "periods": periods, "causes": list(causes), "client": client,
            "duration_us": 10.0}


def damaged_at(position: int, frames: int) -> join.HostRun:
    return join.HostRun.from_json({**REPORT, "mismatched_frames": frames,
                                   "mismatches": [{"position": position, "frames": frames}]})


class Join(unittest.TestCase):
    def test_a_clean_run_is_green(self) -> None:
        row = join.row_of([CLEAN, CLEAN], flight())
        self.assertTrue(join.is_green(row), row["problems"])
        self.assertEqual(row["callbacks"], 1500)

    def test_an_unexplained_difference_turns_the_row_red(self) -> None:
        row = join.row_of([CLEAN, damaged_at(10 * SIZE, 1)], flight())
        self.assertFalse(join.is_green(row))
        self.assertFalse(row["bit_exact"])
        self.assertEqual(row["unexplained_frames"], 1)

    def test_damage_is_explained_by_its_period_and_the_two_before_and_no_other(self) -> None:
        for period, green in ((9, False), (10, True), (11, True), (12, True), (13, False)):
            with self.subTest(period=period):
                row = join.row_of([damaged_at(12 * SIZE + 5, 3)], flight(xrun(START + period)))
                self.assertEqual(join.is_green(row), green)
                self.assertEqual(row["unexplained_frames"], 0 if green else 3)

    def test_damage_to_another_client_explains_nothing(self) -> None:
        row = join.row_of([damaged_at(SIZE, 4)], flight(xrun(START + 1, client=4)))
        self.assertFalse(join.is_green(row))
        self.assertEqual(row["xruns"], {})

    def test_damage_to_all_clients_explains(self) -> None:
        row = join.row_of([damaged_at(SIZE, 4)],
                          flight(xrun(START + 1, client=0, causes=("late_wake", "device_gap"))))
        self.assertTrue(join.is_green(row))
        self.assertEqual(row["xruns"], {"device_gap": 1, "late_wake": 1})

    def test_a_span_is_judged_period_by_period(self) -> None:
        # Periods 4 to 9 are damaged; the event at 5 covers 5, 6 and 7 only.
        row = join.row_of([damaged_at(4 * SIZE + 16, 5 * SIZE)], flight(xrun(START + 5)))
        self.assertEqual(row["unexplained_frames"], (SIZE - 16) + SIZE + 16)

    def test_an_event_of_several_periods_explains_all_of_them(self) -> None:
        row = join.row_of([damaged_at(5 * SIZE, 6 * SIZE)], flight(xrun(START + 5, periods=4)))
        self.assertEqual(row["unexplained_frames"], 0)

    def test_events_from_before_the_session_are_not_counted(self) -> None:
        row = join.row_of([CLEAN], flight(xrun(START - 5, client=0)))
        self.assertEqual(row["xruns"], {})

    def test_a_run_that_compared_nothing_is_red(self) -> None:
        row = join.row_of([dataclasses.replace(CLEAN, compared_frames=0)], flight())
        self.assertFalse(join.is_green(row))
        self.assertFalse(row["bit_exact"])

    def test_a_run_that_compared_less_than_half_of_its_frames_is_red(self) -> None:
        few = dataclasses.replace(CLEAN, compared_frames=750 * SIZE // 2 - 1)
        self.assertFalse(join.is_green(join.row_of([few], flight())))

    def test_positions_that_were_jumped_over_need_an_explanation_too(self) -> None:
        jumped = dataclasses.replace(CLEAN, gaps=(join.Span(20 * SIZE, 2 * SIZE),))
        self.assertFalse(join.is_green(join.row_of([jumped], flight())))
        late = flight(xrun(START + 20, client=0, periods=2, causes=("late_wake",)))
        self.assertTrue(join.is_green(join.row_of([jumped], late)))

    def test_no_lateness_excuses_a_broken_promise(self) -> None:
        for broken in ({"backward_positions": 1}, {"repeated_halves": 1}, {"stalled": True},
                       {"rtl_consistent": False}):
            with self.subTest(broken=broken):
                run = dataclasses.replace(CLEAN, **broken)
                everything = flight(xrun(START, client=0, periods=1000))
                self.assertFalse(join.is_green(join.row_of([run], everything)))

    def test_a_report_without_a_member_is_refused(self) -> None:
        for name in REPORT:
            if name == "driver":
                continue
            with self.subTest(name=name), self.assertRaises(KeyError):
                join.HostRun.from_json({key: REPORT[key] for key in REPORT if key != name})

    def test_a_session_unknown_to_the_service_is_red(self) -> None:
        self.assertFalse(join.is_green(join.row_of([CLEAN], flight(process_id=8))))

    def test_a_wrong_or_missing_round_trip_is_red(self) -> None:
        for measured, reported in ((129, 129), (128, 192), (None, 128), (192, 192)):
            with self.subTest(measured=measured, reported=reported):
                run = dataclasses.replace(CLEAN, rtl_frames=measured, reported_rtl_frames=reported)
                self.assertFalse(join.is_green(join.row_of([CLEAN, run], flight())))

    def test_a_recorder_that_forgot_events_is_red_when_there_was_damage(self) -> None:
        events = flight(xrun(START + 1), events_written=9000)
        self.assertFalse(join.is_green(join.row_of([damaged_at(SIZE, 4)], events)))
        self.assertTrue(join.is_green(join.row_of([CLEAN], events)))

    def test_the_newest_session_of_a_process_is_joined(self) -> None:
        known = flight(xrun(START + 500))
        known["sessions"].insert(0, {**known["sessions"][0], "id": 2, "start_period": 1})
        self.assertEqual(join.judge(CLEAN, known).session_id, 3)


if __name__ == "__main__":
    unittest.main()
