using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History.Retention;

/// <summary>How long the past is kept, in the database; a change is audited with what was before, in the same transaction.</summary>
internal sealed class RetentionSettings(IDbContextFactory<HubDbContext> factory, AuditLog audit)
{
    /// <summary>Action of the audit entry.</summary>
    public const string Action = "retention-changed";

    /// <summary>Why nothing was done for whoever had something else before his eyes.</summary>
    public const string ChangedMeanwhile = "Somebody has changed it meanwhile. What is kept now is shown: look at it, then decide again.";

    private const string EventsKey = "retention.events.days";
    private const string ProbesKey = "retention.probes.hours";
    private const string MinutesKey = "retention.probe-minutes.days";
    private const string HoursKey = "retention.probe-hours.days";

    public async Task<RetentionPeriods> ReadAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return await ReadAsync(db, cancellationToken);
    }

    private static async Task<RetentionPeriods> ReadAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        string[] keys = [EventsKey, ProbesKey, MinutesKey, HoursKey];
        Dictionary<string, string> set = await db.Settings.AsNoTracking().Where(s => keys.Contains(s.Key)).ToDictionaryAsync(s => s.Key, s => s.Value, cancellationToken);
        return RetentionPeriods.Default.With(set.GetValueOrDefault(EventsKey), set.GetValueOrDefault(ProbesKey), set.GetValueOrDefault(MinutesKey), set.GetValueOrDefault(HoursKey), out _);
    }

    /// <summary>Changes it, for whoever may administer.</summary>
    /// <param name="wanted">All of it, as it is to be.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <param name="seen">What was kept when whoever asks looked: if it is something else by now nothing is changed. Null: whatever it is.</param>
    /// <returns>Why nothing was changed, which is in the audit; null: it was.</returns>
    /// <exception cref="DbUpdateException">It could not be audited, and is as it was.</exception>
    public async Task<string?> ChangeAsync(RetentionPeriods wanted, Actor actor, CancellationToken cancellationToken, RetentionPeriods? seen = null)
    {
        RetentionPeriods before = await ReadAsync(cancellationToken);
        var draft = new AuditDraft
        {
            Actor = actor,
            Action = Action,
            Target = "hub",
            Before = ToJson(before),
            After = ToJson(wanted),
            Outcome = "accepted",
        };
        if (!actor.MayAdminister)
        {
            await audit.WriteAsync(draft with { Outcome = $"refused: {Actor.NeedsAdmin}" }, cancellationToken);
            return Actor.NeedsAdmin;
        }

        try
        {
            await audit.ChangeAsync(
                draft,
                async (db, stop) =>
                {
                    // Looked at in the transaction that changes it: nobody else comes between.
                    if (seen is not null && await ReadAsync(db, stop) != seen)
                    {
                        throw new NotAsSeenException();
                    }

                    await SetAsync(db, EventsKey, wanted.EventText, stop);
                    await SetAsync(db, ProbesKey, wanted.ProbeHours.ToString(CultureInfo.InvariantCulture), stop);
                    await SetAsync(db, MinutesKey, wanted.MinuteDays.ToString(CultureInfo.InvariantCulture), stop);
                    await SetAsync(db, HoursKey, wanted.HourDays.ToString(CultureInfo.InvariantCulture), stop);
                },
                cancellationToken);
            return null;
        }
        catch (NotAsSeenException)
        {
            await audit.WriteAsync(draft with { Outcome = $"refused: {ChangedMeanwhile}" }, cancellationToken);
            return ChangedMeanwhile;
        }
    }

    /// <summary>Ends the transaction, and never leaves this class.</summary>
    private sealed class NotAsSeenException : Exception;

    private static string ToJson(RetentionPeriods retention) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"eventDays":{{retention.EventDays?.ToString(CultureInfo.InvariantCulture) ?? "null"}},"probeHours":{{retention.ProbeHours}},"minuteDays":{{retention.MinuteDays}},"hourDays":{{retention.HourDays}}}""");

    private static async Task SetAsync(HubDbContext db, string key, string value, CancellationToken cancellationToken)
    {
        if (await db.Settings.SingleOrDefaultAsync(s => s.Key == key, cancellationToken) is { } setting)
        {
            setting.Value = value;
        }
        else
        {
            db.Settings.Add(new SettingEntity { Key = key, Value = value });
        }
    }
}
