using System.Collections.Immutable;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>
/// Hours of a fleet in which anything may be wrong, unknown or right at any second, with people who take alerts on and put them away, a hub that is killed at any moment, and channels
/// that fail: each beginning and each end is told at least once, in this order, of a key there is never more than one alert, or its end in place of both
/// when it could not be told for long, and no channel gets more messages than it takes.
/// </summary>
[Trait("Kind", "Long")]
public sealed class StormTests
{
    private const int MostPerMinute = 5;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Storm_EachBeginningAndEndIsToldAndNeverMoreThanTheChannelTakes(int seed)
    {
        var world = new World(seed, seed % 4 == 0 ? AlertChannelType.PagerDuty : AlertChannelType.Webhook);

        for (int second = 0; second < 3_600; second++)
        {
            world.Pass(second, calm: second > 2_400);
        }

        // All is well now and nothing fails any more: whatever still waits has its time.
        for (int second = 3_600; world.Waits && second < 40_000; second++)
        {
            world.Pass(second, calm: true);
        }

        world.Check();
    }

    /// <summary>Book, outbox and receiver, as the database and the network would have them.</summary>
    private sealed class World(int seed, AlertChannelType type)
    {
        private static readonly AlertRule Asked = Rule() with { RaiseAfter = TimeSpan.FromSeconds(2), ResolveAfter = TimeSpan.FromSeconds(3), RemindEvery = TimeSpan.FromMinutes(10), QuietInFreeze = true };

        private readonly Random _random = new(seed);
        private readonly AlertChannel _channel = Channel(type: type, mostPerMinute: MostPerMinute);
        private readonly string[] _states = [.. Enumerable.Repeat("right", 30)];
        private readonly List<Row> _outbox = [];
        private readonly List<DateTimeOffset> _tried = [];
        private readonly List<(string Alert, AlertNoticeKind Kind)> _told = [];
        private readonly List<(string Alert, AlertNoticeKind Kind)> _decided = [];
        private readonly HashSet<(string Alert, AlertNoticeKind Kind)> _superseded = [];
        private readonly int _mostInOne = seed % 3 == 0 ? 4 : int.MaxValue;
        private AlertBook _book = AlertBook.Empty;
        private ChannelTraffic _traffic = ChannelTraffic.None;
        private int _failures;
        private int _ids;

        public bool Waits => _outbox.Exists(r => r.State == DeliveryStates.Waiting) || !_book.Active.IsEmpty;

        public void Pass(int second, bool calm)
        {
            DateTimeOffset now = Make.At.AddSeconds(second);
            for (int i = 0; i < _states.Length; i++)
            {
                _states[i] = calm ? "right" : _random.Next(60) == 0 ? (string[])["right", "wrong", "wrong", "unknown"] is var words ? words[_random.Next(4)] : "" : _states[i];
            }

            bool everythingAtOnce = !calm && _random.Next(400) == 0;
            Finding[] findings =
            [
                .. _states.Select((state, i) => (State: everythingAtOnce ? _states[i] = "wrong" : state, Key: new AlertKey("rule", $"node:{i}")))
                    .Where(s => s.State != "right").Select(s => s.State == "wrong" ? Wrong(key: s.Key) : NotKnown(s.Key)),
            ];
            ImmutableArray<Quiet> quiet = !calm && second / 300 % 3 == 1 ? [new Quiet("frozen", QuietReason.Freeze) { IsOfAll = true }] : [];
            AlertStep step = AlertReducer.Look(_book, findings, AlertPolicy.Of([Asked], [new ChannelChoice("hook", EventSeverity.Info)], quiet), new Moment(now, TimeSpan.FromSeconds(second)), () => $"a{++_ids:000000}");

            // Killed before it was written: as if it had not been decided.
            if (_random.Next(200) != 0)
            {
                Write(step, now);
            }

            if (!calm && !_book.Active.IsEmpty && _random.Next(30) == 0)
            {
                Act(_book.Active.Values.ElementAt(_random.Next(_book.Active.Count)), now);
            }

            if (!calm && _random.Next(300) == 0)
            {
                // Another hub begins with what is on the disk.
                _book = AlertBook.Empty with { Active = _book.Active, Shelves = _book.Shelves };
                (_traffic, _failures) = (ChannelTraffic.None, 0);
            }

            Send(now, calm);
        }

        public void Check()
        {
            Assert.False(Waits, "something still waits");
            Assert.All(_decided, one => Assert.True(_told.Contains(one) || _superseded.Contains(one), $"{one} was told to nobody"));
            foreach (IGrouping<string, (string Alert, AlertNoticeKind Kind)> alert in _told.GroupBy(t => t.Alert))
            {
                AlertNoticeKind[] kinds = [.. alert.Select(t => t.Kind)];
                Assert.True(kinds[0] == AlertNoticeKind.Raised || (kinds[0] == AlertNoticeKind.Resolved && _superseded.Contains((alert.Key, AlertNoticeKind.Raised))), $"{kinds[0]} was told first");
                Assert.Equal(AlertNoticeKind.Resolved, kinds[^1]);
            }

            for (int i = 0; i < _tried.Count; i++)
            {
                int within = _tried.Count(t => t >= _tried[i] && t < _tried[i] + DeliveryPlan.Window);
                Assert.True(within <= MostPerMinute + (type == AlertChannelType.PagerDuty ? 0 : 1), $"{within} messages within a minute");
            }

            Assert.True(_told.Count > 100, $"only {_told.Count} were told");
        }

        private void Act(Alert alert, DateTimeOffset now)
        {
            AlertStep step = _random.Next(4) switch
            {
                0 when alert.Acknowledged is null => AlertReducer.Acknowledge(_book, alert, new AlertAcknowledgement("alice", now, "on it")),
                1 when alert.Acknowledged is not null => AlertReducer.Unacknowledge(_book, alert, "alice", now),
                2 => AlertReducer.Shelve(_book, alert, new AlertShelf("alice", now, now.AddSeconds(_random.Next(60, 600)), "known")),
                3 when alert.Shelf is not null => AlertReducer.Unshelve(_book, alert, "alice"),
                _ => new AlertStep(_book),
            };
            Write(step, now);
        }

        private void Write(AlertStep step, DateTimeOffset now)
        {
            _book = step.Book;
            Assert.Equal(_book.Active.Count, _book.Active.Values.Select(a => a.Key).Distinct().Count());
            Assert.All(step.Changed.Where(a => a.ResolvedAt is null), a => Assert.Equal(a, _book.Active[a.Key]));
            foreach (AlertNotice notice in step.Notices)
            {
                _decided.Add((notice.Alert.Id, notice.Kind));
                _outbox.Add(new Row(_outbox.Count + 1, AlertMessage.Of(notice.Alert, notice.Kind, now), notice.Alert.Id, now));
            }
        }

        private void Send(DateTimeOffset now, bool calm)
        {
            while (true)
            {
                ImmutableArray<WaitingMessage> waiting = [.. _outbox.Where(r => r.State == DeliveryStates.Waiting).Select(r => r.ToWaiting([.. _outbox.Where(m => m.Summary == r.Id)]))];
                switch (DeliveryPlan.Next(_channel, waiting, _traffic with { Tried = [.. _tried.Where(t => now - t < DeliveryPlan.Window)] }, now))
                {
                    case DeliveryStep.Send send:
                        Try(_outbox[(int)send.Id - 1], now, calm);
                        break;
                    case DeliveryStep.Summarise summarise:
                        Row[] rows = [.. summarise.Ids.Select(id => _outbox[(int)id - 1])];
                        _outbox.Add(new Row(_outbox.Count + 1, AlertMessage.Summary([.. rows.Select(r => r.Message)], now), null, now));
                        Array.ForEach(rows, r => (r.State, r.Summary) = (DeliveryStates.Summarised, _outbox.Count));
                        break;
                    case DeliveryStep.Expire expire:
                        _superseded.UnionWith(expire.Ids.Select(id => _outbox[(int)id - 1]).Select(r => (r.Alert!, r.Message.Kind)));
                        Array.ForEach([.. expire.Ids], id => _outbox[(int)id - 1].State = DeliveryStates.Expired);
                        break;
                    default:
                        return;
                }
            }
        }

        private void Try(Row row, DateTimeOffset now, bool calm)
        {
            _tried.Add(now);
            row.Attempts++;
            if (row.Message.Alerts.Length > _mostInOne)
            {
                Split(row, now);
                return;
            }

            int fate = calm ? 9 : _random.Next(10);
            if (fate > 0)
            {
                _told.AddRange(row.Message.Alerts.Select(a => (a.Id, a.Notice)));
            }

            // 0: nobody answered. 1: it was taken, and the hub was killed before it had crossed it off.
            if (fate > 1)
            {
                (row.State, _failures, _traffic) = (DeliveryStates.Delivered, 0, ChannelTraffic.None);
            }
            else if (fate == 0)
            {
                TimeSpan pause = DeliveryPlan.PauseAfter(++_failures, _random.NextDouble());
                row.Due = now + pause;
                _traffic = new ChannelTraffic([], row.Due);
            }
        }

        // Its receiver takes no message that is so large: it goes out in parts.
        private void Split(Row row, DateTimeOffset now)
        {
            row.State = DeliveryStates.Split;
            foreach (Row[] part in DeliveryPlan.Parts(_outbox.Where(r => r.Summary == row.Id).Select(r => ((long)r.Id, r.Alert))).Select(ids => ids.Select(id => _outbox[(int)id - 1]).ToArray()))
            {
                if (part is [var one])
                {
                    (one.State, one.Summary, one.Attempts, one.Due) = (DeliveryStates.Waiting, null, 1, now);
                    continue;
                }

                _outbox.Add(new Row(_outbox.Count + 1, AlertMessage.Summary([.. part.Select(r => r.Message)], now), null, now));
                Array.ForEach(part, r => r.Summary = _outbox.Count);
            }
        }

        private sealed class Row(int id, AlertMessage message, string? alert, DateTimeOffset at)
        {
            public int Id => id;

            public AlertMessage Message => message;

            public string? Alert => alert;

            public DateTimeOffset At { get; } = at;

            public DateTimeOffset Due { get; set; } = at;

            public int Attempts { get; set; }

            /// <summary>Id of the message that tells of it among others.</summary>
            public int? Summary { get; set; }

            public WaitingMessage ToWaiting(Row[] members) => new(Id, "hook", Message.Kind, Message.Severity, At, Due, Attempts)
            {
                Alerts = Alert is not null ? [Alert] : [.. members.Select(m => m.Alert!).Distinct()],
                Order = members.Select(m => (long)m.Id).Append(Id).Min(),
            };

            public string State { get; set; } = DeliveryStates.Waiting;
        }
    }
}
