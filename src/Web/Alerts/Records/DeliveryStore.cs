using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace FailoverHub.Web.Alerts.Records;

/// <summary>Messages on their way, on the disk. Every method is one transaction.</summary>
internal sealed class DeliveryStore(IDbContextFactory<HubDbContext> factory, HistoryChanges changes)
{
    private const int AttemptsKept = 10;

    private const string Summary = "summary";
    private const string Test = "test";

    /// <summary>So many of a channel are looked at in a turn; of more that wait the oldest.</summary>
    private const int LookedAt = 2_000;

    /// <summary>What waits for these channels, of each the oldest first: a backlog of one silences no other.</summary>
    public async Task<ImmutableArray<WaitingMessage>> WaitingAsync(IReadOnlyCollection<string> channels, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        var waiting = ImmutableArray.CreateBuilder<WaitingMessage>();
        foreach (string channel in channels)
        {
            // Summaries stand behind what was decided after their oldest message: all of them are looked at.
            IQueryable<AlertDeliveryEntity> mine = db.AlertDeliveries.AsNoTracking().Where(d => d.State == DeliveryStates.Waiting && d.ChannelId == channel);
            List<AlertDeliveryEntity> rows = await mine.Where(d => d.Notice != Summary).OrderBy(d => d.Id).Take(LookedAt).Select(Head).ToListAsync(cancellationToken);
            List<AlertDeliveryEntity> summaries = await mine.Where(d => d.Notice == Summary).OrderBy(d => d.Id).Take(LookedAt).Select(Head).ToListAsync(cancellationToken);
            long[] ids = [.. summaries.Select(s => s.Id)];
            var members = ids.Length == 0 ? [] : await db.AlertDeliveries.AsNoTracking().Where(d => d.SummaryId != null && ids.Contains(d.SummaryId.Value)).Select(d => new { d.Id, d.AlertId, d.SummaryId }).ToListAsync(cancellationToken);
            ILookup<long?, (long Id, string? Alert)> of = members.ToLookup(m => m.SummaryId, m => (m.Id, m.AlertId));
            waiting.AddRange(rows.Select(d => ToWaiting(d) with { Alerts = d.AlertId is { } alert ? [alert] : [] }));
            waiting.AddRange(summaries.Select(d => ToWaiting(d) with { Alerts = [.. of[d.Id].Select(m => m.Alert).OfType<string>().Distinct()], Order = of[d.Id].Select(m => m.Id).Append(d.Id).Min() }));
        }

        return waiting.ToImmutable();
    }

    /// <summary>When messages were tried since a moment, oldest first: so many the channels have had.</summary>
    public async Task<ImmutableArray<(string ChannelId, DateTimeOffset At)>> TriedSinceAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        long from = since.ToUnixTimeMilliseconds();
        List<AlertDeliveryEntity> rows = await db.AlertDeliveries.AsNoTracking().Where(d => d.LastAttemptAtMs >= from).ToListAsync(cancellationToken);
        return [.. rows.SelectMany(r => AlertRecords.AttemptsOf(r).Where(a => a.At >= since).Select(a => (r.ChannelId, a.At))).OrderBy(a => a.At)];
    }

    /// <summary>Which channels did not take the message that was tried last, with the error; tests do not count.</summary>
    public async Task<ImmutableDictionary<string, string>> FailingAsync(IEnumerable<string> channels, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        var failing = ImmutableDictionary.CreateBuilder<string, string>();
        foreach (string channel in channels)
        {
            string? error = await db.AlertDeliveries.AsNoTracking().Where(d => d.ChannelId == channel && d.LastAttemptAtMs != null && d.Notice != Test)
                .OrderByDescending(d => d.LastAttemptAtMs).ThenByDescending(d => d.Id).Select(d => d.LastError).FirstOrDefaultAsync(cancellationToken);
            if (error is not null)
            {
                failing.Add(channel, error);
            }
        }

        return failing.ToImmutable();
    }

    /// <summary>What is to be sent, null: it is not there any more. What was decided long ago says what is so now.</summary>
    public async Task<AlertMessage?> MessageAsync(long id, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        if (await db.AlertDeliveries.AsNoTracking().SingleOrDefaultAsync(d => d.Id == id, cancellationToken) is not { } row)
        {
            return null;
        }

        var message = AlertMessage.FromJson(row.MessageJson);
        if (now - message.At < StaleMessages.After)
        {
            return message;
        }

        List<AlertDeliveryEntity> parts = row.Notice == Summary ? await db.AlertDeliveries.AsNoTracking().Where(d => d.SummaryId == id).OrderBy(d => d.Id).ToListAsync(cancellationToken) : [row];
        string[] about = [.. parts.Select(p => p.AlertId).OfType<string>().Distinct()];
        Dictionary<string, AlertEntity> alerts = await db.Alerts.AsNoTracking().Where(a => about.Contains(a.Id)).ToDictionaryAsync(a => a.Id, cancellationToken);
        AlertMessage[] fresh =
        [
            .. parts.Select(p => (p.AlertId, Message: AlertMessage.FromJson(p.MessageJson)))
                .Select(p => p.AlertId is { } alert && alerts.TryGetValue(alert, out AlertEntity? newest) ? StaleMessages.Refreshed(p.Message, AlertRecords.ToAlert(newest, null), now) : p.Message)
                .DistinctBy(m => (m.Alerts.FirstOrDefault()?.Id, m.Kind)),
        ];
        return row.Notice != Summary ? fresh[0] : fresh.Length == 0 ? message : AlertMessage.Summary(fresh, now, haveWaited: true);
    }

    /// <summary>Keeps how an attempt went.</summary>
    /// <param name="id">The message.</param>
    /// <param name="attempt">How it went.</param>
    /// <param name="dueAt">When it is tried again; null: not any more.</param>
    /// <param name="told">Written into the history with it, null: nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task KeepAsync(long id, DeliveryAttempt attempt, DateTimeOffset? dueAt, EventDraft? told, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        if (await db.AlertDeliveries.FindAsync([id], cancellationToken) is not { } row)
        {
            return;
        }

        Count(row, attempt);
        if (attempt.Error is null)
        {
            row.State = DeliveryStates.Delivered;
            row.DeliveredAtMs = attempt.At.ToUnixTimeMilliseconds() + attempt.Milliseconds;
        }
        else if (dueAt is { } due)
        {
            row.DueAtMs = due.ToUnixTimeMilliseconds();
        }
        else
        {
            row.State = DeliveryStates.GivenUp;
        }

        EventEntity? happened = told is null ? null : HistoryRecords.ToEntity(told, attempt.At);
        if (happened is not null)
        {
            db.Events.Add(happened);
        }

        await db.SaveChangesAsync(cancellationToken);
        if (happened is not null)
        {
            changes.Appended(eventId: happened.Id);
        }
    }

    /// <summary>Makes one message of many that wait; they are not sent by themselves then.</summary>
    public async Task SummariseAsync(string channel, ImmutableArray<long> ids, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        List<AlertDeliveryEntity> rows = await db.AlertDeliveries.Where(d => ids.Contains(d.Id) && d.State == DeliveryStates.Waiting).OrderBy(d => d.Id).ToListAsync(cancellationToken);
        if (rows.Count == 0)
        {
            return;
        }

        AlertDeliveryEntity summary = AlertRecords.ToEntity(AlertMessage.Summary([.. rows.Select(r => AlertMessage.FromJson(r.MessageJson))], now), channel, null);
        db.AlertDeliveries.Add(summary);
        await db.SaveChangesAsync(cancellationToken);
        rows.ForEach(r => (r.State, r.SummaryId) = (DeliveryStates.Summarised, summary.Id));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
    }

    /// <summary>A summary that its receiver refused goes out in two parts, and what is about one alert by itself: a message that is too large becomes small, and one that is refused keeps no other.</summary>
    /// <param name="id">The summary.</param>
    /// <param name="attempt">How it was refused.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    public async Task SplitAsync(long id, DeliveryAttempt attempt, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.AlertDeliveries.FindAsync([id], cancellationToken) is not { State: DeliveryStates.Waiting } summary)
        {
            return;
        }

        Count(summary, attempt);
        summary.State = DeliveryStates.Split;
        List<AlertDeliveryEntity> rows = await db.AlertDeliveries.Where(d => d.SummaryId == id).OrderBy(d => d.Id).ToListAsync(cancellationToken);
        foreach (ImmutableArray<long> ids in DeliveryPlan.Parts(rows.Select(r => (r.Id, r.AlertId))))
        {
            List<AlertDeliveryEntity> part = [.. rows.Where(r => ids.Contains(r.Id))];
            if (part is [var one])
            {
                // It was tried: it does not go into another summary.
                (one.State, one.SummaryId, one.Attempts, one.DueAtMs) = (DeliveryStates.Waiting, null, 1, attempt.At.ToUnixTimeMilliseconds());
                continue;
            }

            AlertDeliveryEntity half = AlertRecords.ToEntity(AlertMessage.Summary([.. part.Select(r => AlertMessage.FromJson(r.MessageJson))], attempt.At), summary.ChannelId, null);
            half.CreatedAtMs = summary.CreatedAtMs;
            db.AlertDeliveries.Add(half);
            await db.SaveChangesAsync(cancellationToken);
            part.ForEach(r => r.SummaryId = half.Id);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
    }

    /// <summary>These are not sent any more: newer ones say what is so now.</summary>
    public async Task ExpireAsync(ImmutableArray<long> ids, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        await db.AlertDeliveries.Where(d => ids.Contains(d.Id) && d.State == DeliveryStates.Waiting)
            .ExecuteUpdateAsync(set => set.SetProperty(d => d.State, DeliveryStates.Expired), cancellationToken);
    }

    /// <summary>What waits for channels that are no more is not sent.</summary>
    public async Task DropForGoneChannelsAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        // Of the table itself: somebody's list of channels may be from before one was added, whose first message would be dropped.
        IQueryable<AlertDeliveryEntity> others = db.AlertDeliveries.Where(d => d.State == DeliveryStates.Waiting && !db.AlertChannels.Any(c => c.Id == d.ChannelId));

        // Asked first: a write would keep others from the database each time.
        if (!await others.AnyAsync(cancellationToken))
        {
            return;
        }

        await others.ExecuteUpdateAsync(set => set.SetProperty(d => d.State, DeliveryStates.Dropped).SetProperty(d => d.LastError, "Its channel is gone."), cancellationToken);
    }

    /// <summary>A test that was made just now, as the log keeps it.</summary>
    public async Task<DeliveryRecord> KeepTestAsync(string channel, AlertMessage message, DeliveryAttempt attempt, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        AlertDeliveryEntity row = AlertRecords.ToEntity(message, channel, null);
        row.Attempts = 1;
        row.LastAttemptAtMs = attempt.At.ToUnixTimeMilliseconds();
        row.LastError = attempt.Error;
        row.AttemptsJson = AlertRecords.ToJson([attempt]);
        row.State = attempt.Error is null ? DeliveryStates.Delivered : DeliveryStates.GivenUp;
        row.DeliveredAtMs = attempt.Error is null ? attempt.At.ToUnixTimeMilliseconds() + attempt.Milliseconds : null;
        db.AlertDeliveries.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        return AlertRecords.ToRecord(row);
    }

    /// <summary>The log, newest first.</summary>
    /// <param name="channel">Of this channel, null: of all.</param>
    /// <param name="alert">Of this alert, null: of all. Summaries that tell of it are among them.</param>
    /// <param name="before">Id that the page before ended with, null: from the newest.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<ImmutableArray<DeliveryRecord>> ListAsync(string? channel, string? alert, long? before, int limit, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        IQueryable<AlertDeliveryEntity> found = db.AlertDeliveries.AsNoTracking();
        found = channel is null ? found : found.Where(d => d.ChannelId == channel);
        if (alert is not null)
        {
            IQueryable<long?> summaries = db.AlertDeliveries.Where(d => d.AlertId == alert && d.SummaryId != null).Select(d => d.SummaryId);
            found = found.Where(d => d.AlertId == alert || summaries.Contains(d.Id));
        }

        found = before is { } id ? found.Where(d => d.Id < id) : found;
        List<AlertDeliveryEntity> rows = await found.OrderByDescending(d => d.Id).Take(limit).ToListAsync(cancellationToken);
        return [.. rows.Select(AlertRecords.ToRecord)];
    }

    // All but what it says and how it fared, which may be long.
    private static readonly System.Linq.Expressions.Expression<Func<AlertDeliveryEntity, AlertDeliveryEntity>> Head = d => new AlertDeliveryEntity
    {
        Id = d.Id, ChannelId = d.ChannelId, AlertId = d.AlertId, Notice = d.Notice, Severity = d.Severity, CreatedAtMs = d.CreatedAtMs, DueAtMs = d.DueAtMs, Attempts = d.Attempts,
        Title = "", MessageJson = "", State = DeliveryStates.Waiting, AttemptsJson = "",
    };

    private static WaitingMessage ToWaiting(AlertDeliveryEntity row) =>
        new(row.Id, row.ChannelId, Enum.Parse<AlertNoticeKind>(row.Notice, ignoreCase: true), row.Severity, At(row.CreatedAtMs), At(row.DueAtMs), row.Attempts);

    private static void Count(AlertDeliveryEntity row, DeliveryAttempt attempt)
    {
        row.Attempts++;
        row.LastAttemptAtMs = attempt.At.ToUnixTimeMilliseconds();
        row.LastError = attempt.Error;
        row.AttemptsJson = AlertRecords.ToJson([.. AlertRecords.AttemptsOf(row).Append(attempt).TakeLast(AttemptsKept)]);
    }

    private static DateTimeOffset At(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}
