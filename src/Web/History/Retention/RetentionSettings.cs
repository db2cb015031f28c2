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

    private const string EventsKey = "retention.events.days";
    private const string ProbesKey = "retention.probes.hours";

    public async Task<RetentionPeriods> ReadAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        string? events = (await db.Settings.AsNoTracking().SingleOrDefaultAsync(s => s.Key == EventsKey, cancellationToken))?.Value;
        string? probes = (await db.Settings.AsNoTracking().SingleOrDefaultAsync(s => s.Key == ProbesKey, cancellationToken))?.Value;
        return RetentionPeriods.Default.With(events, probes, out _);
    }

    /// <exception cref="DbUpdateException">It could not be audited, and is as it was.</exception>
    public async Task ChangeAsync(RetentionPeriods wanted, Actor actor, CancellationToken cancellationToken)
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
        await audit.ChangeAsync(
            draft,
            async (db, stop) =>
            {
                await SetAsync(db, EventsKey, wanted.EventText, stop);
                await SetAsync(db, ProbesKey, wanted.ProbeHours.ToString(CultureInfo.InvariantCulture), stop);
            },
            cancellationToken);
    }

    private static string ToJson(RetentionPeriods retention) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"eventDays":{{retention.EventDays?.ToString(CultureInfo.InvariantCulture) ?? "null"}},"probeHours":{{retention.ProbeHours}}}""");

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
