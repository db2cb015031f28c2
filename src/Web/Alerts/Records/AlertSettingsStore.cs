using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Alerts.Records;

/// <summary>Rules and channels on the disk; every change is one transaction with its audit entry.</summary>
internal sealed class AlertSettingsStore(IDbContextFactory<HubDbContext> factory, AuditLog audit)
{
    private const string BegunKey = "alerts.rules.begun";

    /// <summary>Rules by name. A hub that has never had any gets those that every hub begins with; one whose rules were all removed does not.</summary>
    public async Task<ImmutableArray<AlertRule>> RulesAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        if (!await db.Settings.AnyAsync(s => s.Key == BegunKey, cancellationToken))
        {
            db.AlertRules.AddRange(AlertKinds.Defaults.Select(AlertRecords.ToEntity));
            db.Settings.Add(new SettingEntity { Key = BegunKey, Value = "1" });
            await db.SaveChangesAsync(cancellationToken);
        }

        List<AlertRuleEntity> rows = await db.AlertRules.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(AlertRecords.ToRule).OrderBy(r => r.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Channels by name.</summary>
    public async Task<ImmutableArray<AlertChannel>> ChannelsAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        List<AlertChannelEntity> rows = await db.AlertChannels.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(AlertRecords.ToChannel).OrderBy(c => c.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>The closed secret of a channel, null: it has none, or is gone.</summary>
    public async Task<string?> ClosedSecretAsync(string channel, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.AlertChannels.AsNoTracking().Where(c => c.Id == channel).Select(c => c.ClosedSecret).SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>Makes or changes a rule.</summary>
    /// <exception cref="DbUpdateException">It could not be written, or somebody else was faster; nothing was done.</exception>
    public Task SaveAsync(AlertRule rule, AuditDraft draft, CancellationToken cancellationToken) => audit.ChangeAsync(
        draft,
        async (db, stop) =>
        {
            AlertRuleEntity wanted = AlertRecords.ToEntity(rule);
            if (await db.AlertRules.FindAsync([rule.Id], stop) is { } row)
            {
                (row.Name, row.DefinitionJson, row.Revision) = (wanted.Name, wanted.DefinitionJson, wanted.Revision);
            }
            else
            {
                db.AlertRules.Add(wanted);
            }
        },
        cancellationToken);

    /// <summary>Takes a rule away.</summary>
    public Task RemoveRuleAsync(string id, AuditDraft draft, CancellationToken cancellationToken) =>
        audit.ChangeAsync(draft, (db, stop) => db.AlertRules.Where(r => r.Id == id).ExecuteDeleteAsync(stop), cancellationToken);

    /// <summary>Makes or changes a channel.</summary>
    /// <param name="channel">As it is to be.</param>
    /// <param name="closedSecret">Its new secret, closed; null: as it was.</param>
    /// <param name="draft">For the audit.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <exception cref="DbUpdateException">It could not be written, or somebody else was faster; nothing was done.</exception>
    public Task SaveAsync(AlertChannel channel, string? closedSecret, AuditDraft draft, CancellationToken cancellationToken) => audit.ChangeAsync(
        draft,
        async (db, stop) =>
        {
            AlertChannelEntity wanted = AlertRecords.ToEntity(channel, closedSecret);
            if (await db.AlertChannels.FindAsync([channel.Id], stop) is { } row)
            {
                (row.Name, row.DefinitionJson, row.Revision, row.ClosedSecret) = (wanted.Name, wanted.DefinitionJson, wanted.Revision, closedSecret ?? row.ClosedSecret);
            }
            else
            {
                db.AlertChannels.Add(wanted);
            }
        },
        cancellationToken);

    /// <summary>Takes a channel away; what waits for it is dropped.</summary>
    public Task RemoveChannelAsync(string id, AuditDraft draft, CancellationToken cancellationToken) =>
        audit.ChangeAsync(draft, (db, stop) => db.AlertChannels.Where(c => c.Id == id).ExecuteDeleteAsync(stop), cancellationToken);
}
