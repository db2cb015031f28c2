using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Alerts.Book;

/// <summary>
/// When something that is wrong becomes an alert, when it ends, and who is told: book, findings and time in, the next book out. Of a key there is never more
/// than one active alert. Whoever was told that something is wrong is told that it is over; who was told nothing hears nothing of its end.
/// </summary>
internal static class AlertReducer
{
    /// <summary>The sentence of an active alert may change each second; it is written again only so often.</summary>
    private static readonly TimeSpan TextsAtMostEvery = TimeSpan.FromMinutes(1);

    /// <summary>That another operation failed in the same way is told so often: a script that tries again each second is one trouble.</summary>
    private static readonly TimeSpan AnotherAtMostEvery = TimeSpan.FromMinutes(10);

    /// <summary>Looks at what is found now.</summary>
    /// <param name="book">What stood so far.</param>
    /// <param name="findings">What is wrong or cannot be judged.</param>
    /// <param name="policy">By what to decide.</param>
    /// <param name="now">When.</param>
    /// <param name="newId">Makes ids that grow with time.</param>
    public static AlertStep Look(AlertBook book, IEnumerable<Finding> findings, AlertPolicy policy, Moment now, Func<string> newId)
    {
        var work = new Work(book, policy, now);
        work.EndShelves();
        var wrong = new HashSet<AlertKey>();
        var unknown = new HashSet<AlertKey>();
        foreach (Finding finding in findings)
        {
            if (!finding.IsKnown)
            {
                unknown.Add(finding.Key);
            }
            else if (policy.Rules.TryGetValue(finding.Key.RuleId, out AlertRule? rule) && !(finding.OperationId is { } operation && book.Seen.ContainsKey(operation)) && wrong.Add(finding.Key))
            {
                work.TakeWrong(finding, rule, newId);
            }
        }

        foreach (Alert alert in book.Active.Values.Where(a => !wrong.Contains(a.Key)))
        {
            if (!policy.Rules.TryGetValue(alert.Key.RuleId, out AlertRule? rule) || !rule.Enabled)
            {
                work.Resolve(alert, rule is null ? "Its rule was removed." : "Its rule was switched off.");
            }
            else if (IsIn(unknown, alert.Key))
            {
                work.KeepUnknown(alert, rule);
            }
            else
            {
                work.TakeRight(alert, rule);
            }
        }

        foreach (AlertKey key in book.Rising.Keys.Where(k => !wrong.Contains(k)))
        {
            if (IsIn(unknown, key))
            {
                work.Pause(key);
            }
            else
            {
                work.Forget(key);
            }
        }

        work.WriteLate();
        return work.ToStep();
    }

    /// <summary>Somebody takes it on: nobody is reminded any more. An operation that failed is over with that, since nothing of it goes on that could get right by itself.</summary>
    public static AlertStep Acknowledge(AlertBook book, Alert alert, AlertAcknowledgement by)
    {
        if (alert is { Kind: AlertKind.OperationFailed, OperationId: { } operation })
        {
            Alert over = alert with { Acknowledged = by, ResolvedAt = by.At, ResolvedText = $"{by.By} has acknowledged it." };
            return new AlertStep(book with { Active = book.Active.Remove(alert.Key), Clearing = book.Clearing.Remove(alert.Key), Written = book.Written.Remove(alert.Key), Told = book.Told.Remove(alert.Key), Unwritten = book.Unwritten.Remove(alert.Key), Seen = book.Seen.SetItem(operation, by.At) })
            {
                Changed = [over],
                Events = [new AlertEvent(over, "alert-acknowledged", $"{over.About}: {over.RuleName} acknowledged by {by.By}, which ends it. {by.Reason}")],
                Notices = over.ToldTo.IsEmpty ? [] : [new AlertNotice(over, AlertNoticeKind.Resolved, [.. over.ToldTo])],
            };
        }

        Alert after = alert with { Acknowledged = by };
        return Change(book, after, "alert-acknowledged", $"{after.About}: {after.RuleName} acknowledged by {by.By}. {by.Reason}", after.ToldTo.IsEmpty ? null : AlertNoticeKind.Acknowledged);
    }

    /// <summary>Nobody has it any more; people are reminded as before.</summary>
    public static AlertStep Unacknowledge(AlertBook book, Alert alert, string by, DateTimeOffset now)
    {
        Alert after = alert with { Acknowledged = null, LastToldAt = alert.LastToldAt is null ? null : now, ToldOperationId = alert.OperationId };
        return Change(book with { Told = book.Told.Remove(after.Key) }, after, "alert-unacknowledged", $"{after.About}: {after.RuleName} is nobody's any more, says {by}.", after.ToldTo.IsEmpty ? null : AlertNoticeKind.Unacknowledged);
    }

    /// <summary>Nobody is told of it until a time, also when it ends and begins again.</summary>
    public static AlertStep Shelve(AlertBook book, Alert alert, AlertShelf shelf)
    {
        string until = shelf.Until.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        AlertStep step = Change(book, alert with { Shelf = shelf }, "alert-shelved", $"{alert.About}: {alert.RuleName} shelved until {until} UTC by {shelf.By}. {shelf.Reason}", null);
        return step with { Book = step.Book with { Shelves = step.Book.Shelves.SetItem(alert.Key, shelf) }, Shelves = [(alert.Key, shelf)] };
    }

    /// <summary>People are told again.</summary>
    public static AlertStep Unshelve(AlertBook book, Alert alert, string by)
    {
        AlertStep step = Change(book, alert with { Shelf = null }, "alert-unshelved", $"{alert.About}: {alert.RuleName} is no longer shelved, says {by}.", null);
        return step with { Book = step.Book with { Shelves = step.Book.Shelves.Remove(alert.Key) }, Shelves = [(alert.Key, null)] };
    }

    private static AlertStep Change(AlertBook book, Alert after, string kind, string text, AlertNoticeKind? notice) => new(book with { Active = book.Active.SetItem(after.Key, after), Unwritten = book.Unwritten.Remove(after.Key) })
    {
        Changed = [after],
        Events = [new AlertEvent(after, kind, text)],
        Notices = notice is { } told ? [new AlertNotice(after, told, [.. after.ToldTo])] : [],
    };

    // A subject that ends with a slash stands for all that begin with it.
    private static bool IsIn(HashSet<AlertKey> unknown, AlertKey key) =>
        unknown.Contains(key) || (key.Subject.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && unknown.Contains(key with { Subject = key.Subject[..(slash + 1)] }));

    /// <summary>One look, while it is made.</summary>
    private sealed class Work(AlertBook book, AlertPolicy policy, Moment now)
    {
        private readonly ImmutableDictionary<AlertKey, Alert>.Builder _active = book.Active.ToBuilder();
        private readonly ImmutableDictionary<AlertKey, Lasting>.Builder _rising = book.Rising.ToBuilder();
        private readonly ImmutableDictionary<AlertKey, Lasting>.Builder _clearing = book.Clearing.ToBuilder();
        private readonly ImmutableDictionary<AlertKey, TimeSpan>.Builder _written = book.Written.ToBuilder();
        private readonly ImmutableDictionary<AlertKey, TimeSpan>.Builder _told = book.Told.ToBuilder();
        private readonly ImmutableHashSet<AlertKey>.Builder _unwritten = book.Unwritten.ToBuilder();
        private readonly ImmutableDictionary<AlertKey, AlertShelf>.Builder _shelves = book.Shelves.ToBuilder();
        private readonly Dictionary<AlertKey, Alert> _changed = [];
        private readonly List<AlertNotice> _notices = [];
        private readonly List<AlertEvent> _events = [];
        private readonly List<(AlertKey, AlertShelf?)> _changedShelves = [];

        public void EndShelves()
        {
            foreach ((AlertKey key, AlertShelf shelf) in book.Shelves.Where(s => s.Value.Until <= now.Wall))
            {
                _shelves.Remove(key);
                _changedShelves.Add((key, null));
                if (_active.TryGetValue(key, out Alert? alert))
                {
                    Alert after = alert with { Shelf = null };
                    Set(after);
                    _events.Add(new AlertEvent(after, "alert-unshelved", $"{after.About}: {after.RuleName} is no longer shelved: the time that {shelf.By} gave is over."));
                }
            }
        }

        public void TakeWrong(Finding finding, AlertRule rule, Func<string> newId)
        {
            _clearing.Remove(finding.Key);
            if (_active.TryGetValue(finding.Key, out Alert? alert))
            {
                Alert after = alert with { Text = finding.Text, About = finding.About, Pair = finding.Pair, Node = finding.Node, OperationId = finding.OperationId, QuietBecause = policy.QuietFor(rule, finding.Pair, finding.Node) };
                KeepQuiet(alert, after);
                Tell(after, rule);
                return;
            }

            Lasting wrong = _rising[finding.Key] = Counted(_rising, finding.Key);
            if (wrong.Sum >= rule.RaiseAfter)
            {
                Raise(finding, rule, newId());
            }
        }

        public void TakeRight(Alert alert, AlertRule rule)
        {
            Lasting right = _clearing[alert.Key] = Counted(_clearing, alert.Key);
            if (right.Sum >= rule.ResolveAfter)
            {
                // Also of what is gone: a node that was removed, an operation that is no news any more.
                Resolve(_active[alert.Key], policy.Afterwards(_active[alert.Key]));
            }
        }

        // What cannot be judged is told to nobody as if it were so now: neither a beginning nor a reminder.
        public void KeepUnknown(Alert alert, AlertRule rule)
        {
            Alert before = _active[alert.Key];
            if (_clearing.TryGetValue(alert.Key, out Lasting right))
            {
                _clearing[alert.Key] = right.NotSeen();
            }

            KeepQuiet(before, before with { QuietBecause = policy.QuietFor(rule, before.Pair, before.Node) });
        }

        public void Forget(AlertKey key) => _rising.Remove(key);

        public void Pause(AlertKey key) => _rising[key] = _rising[key].NotSeen();

        public void Resolve(Alert alert, string why)
        {
            Alert after = _active.GetValueOrDefault(alert.Key, alert) with { ResolvedAt = now.Wall, ResolvedText = why };
            _active.Remove(alert.Key);
            _rising.Remove(alert.Key);
            _clearing.Remove(alert.Key);
            _written.Remove(alert.Key);
            _told.Remove(alert.Key);
            _unwritten.Remove(alert.Key);
            _changed[alert.Key] = after;
            _events.Add(new AlertEvent(after, "alert-resolved", $"{after.About}: {after.RuleName} is over. {why}"));

            // A channel that was removed meanwhile gets nothing: the deliverer drops it.
            if (!after.ToldTo.IsEmpty)
            {
                _notices.Add(new AlertNotice(after, AlertNoticeKind.Resolved, [.. after.ToldTo]));
            }
        }

        /// <summary>Also what changed once, soon after it was written, and has not changed since.</summary>
        public void WriteLate()
        {
            foreach (AlertKey key in _unwritten.Where(k => !_written.TryGetValue(k, out TimeSpan written) || now.Uptime - written >= TextsAtMostEvery).ToArray())
            {
                // What is gone needs no writing, and no look may end because of it.
                if (_active.TryGetValue(key, out Alert? alert))
                {
                    Set(alert);
                }
                else
                {
                    _unwritten.Remove(key);
                }
            }
        }

        public AlertStep ToStep() => new(new AlertBook { Active = _active.ToImmutable(), Rising = _rising.ToImmutable(), Clearing = _clearing.ToImmutable(), Written = _written.ToImmutable(), Told = _told.ToImmutable(), Unwritten = _unwritten.ToImmutable(), Shelves = _shelves.ToImmutable(), Seen = book.Seen.RemoveRange(book.Seen.Where(s => now.Wall - s.Value > AlertBook.SeenFor).Select(s => s.Key)) })
        {
            Changed = [.. _changed.Values],
            Notices = [.. _notices],
            Events = [.. _events],
            Shelves = [.. _changedShelves],
        };

        private void Raise(Finding finding, AlertRule rule, string id)
        {
            _rising.Remove(finding.Key);
            var alert = new Alert
            {
                Id = id,
                Key = finding.Key,
                Kind = rule.Kind,
                RuleName = rule.Name,
                Severity = rule.Severity,
                About = finding.About,
                Pair = finding.Pair,
                Node = finding.Node,
                Prefix = finding.Prefix,
                OperationId = finding.OperationId,
                Text = finding.Text,
                RaisedAt = now.Wall,
                Shelf = _shelves.GetValueOrDefault(finding.Key),
                QuietBecause = policy.QuietFor(rule, finding.Pair, finding.Node),
            };
            _events.Add(new AlertEvent(alert, "alert-raised", $"{alert.About}: {alert.RuleName}. {alert.Text}{(alert.QuietBecause is { } quiet ? $" Nobody is told: {quiet}." : "")}"));
            Set(alert);
            Tell(alert, rule);
        }

        private Lasting Counted(ImmutableDictionary<AlertKey, Lasting>.Builder among, AlertKey key) => among.TryGetValue(key, out Lasting known) ? known.Seen(now.Uptime) : Lasting.From(now.Uptime);

        private void KeepQuiet(Alert before, Alert after)
        {
            bool isWorthWriting = false;
            if (before.QuietBecause != after.QuietBecause)
            {
                _events.Add(new AlertEvent(after, after.QuietBecause is null ? "alert-told-again" : "alert-kept-quiet", after.QuietBecause is { } quiet
                    ? $"{after.About}: nobody is told of {after.RuleName}: {quiet}."
                    : $"{after.About}: {after.RuleName} is no longer kept quiet."));
                isWorthWriting = true;
            }

            if (isWorthWriting || _changed.ContainsKey(after.Key))
            {
                Set(after);
            }
            else if (after != before)
            {
                // In memory at once, and on the disk with the next change or after a while.
                _active[after.Key] = after;
                _unwritten.Add(after.Key);
            }
        }

        private void Tell(Alert alert, AlertRule rule)
        {
            if (alert.QuietBecause is not null || alert.Shelf is not null || alert.Acknowledged is not null)
            {
                return;
            }

            // A channel that is new, or on again, learns of what goes on.
            ImmutableArray<string> channels = policy.ChannelsFor(rule, alert.Severity);
            ImmutableArray<string> unaware = [.. channels.Where(c => !alert.ToldTo.Contains(c))];

            // Of which one people were told counts, not which one was found a second ago: one that comes too soon to be told is told when the time is over.
            bool isAnother = alert.OperationId is not null && alert.OperationId != alert.ToldOperationId;
            bool isDue = SinceTold(alert) is { } since && ((rule.RemindEvery is { } again && since >= again) || (isAnother && since >= AnotherAtMostEvery));
            ImmutableArray<string> reminded = isDue ? channels.RemoveRange(unaware) : [];
            if (unaware.IsEmpty && reminded.IsEmpty)
            {
                return;
            }

            Alert after = alert with { ToldTo = alert.ToldTo.Union(unaware) };
            if (alert.LastToldAt is null || !reminded.IsEmpty)
            {
                after = after with { LastToldAt = now.Wall, ToldOperationId = alert.OperationId };
                _told[alert.Key] = now.Uptime;
            }

            Set(after);
            _notices.AddRange(unaware.IsEmpty ? [] : [new AlertNotice(after, AlertNoticeKind.Raised, unaware)]);
            _notices.AddRange(reminded.IsEmpty ? [] : [new AlertNotice(after, AlertNoticeKind.Reminder, reminded)]);
        }

        // By the hub's uptime: a wall clock that is set back would keep everybody from being reminded for as long. It counts once, for what an earlier run told, and what lies ahead then is of now.
        private TimeSpan? SinceTold(Alert alert)
        {
            if (alert.LastToldAt is not { } told)
            {
                return null;
            }

            if (!_told.TryGetValue(alert.Key, out TimeSpan at))
            {
                _told[alert.Key] = at = told < now.Wall ? now.Uptime - (now.Wall - told) : now.Uptime;
            }

            return now.Uptime - at;
        }

        private void Set(Alert alert)
        {
            _active[alert.Key] = alert;
            _changed[alert.Key] = alert;
            _written[alert.Key] = now.Uptime;
            _unwritten.Remove(alert.Key);
        }
    }
}
