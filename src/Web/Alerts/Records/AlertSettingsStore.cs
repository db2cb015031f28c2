using System.Collections.Immutable;
using System.Globalization;
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

    /// <summary>Rules by name. A hub that has never had any gets those that every hub begins with, and one of before those of kinds that it did not have; one whose rules were all removed does not.</summary>
    public async Task<ImmutableArray<AlertRule>> RulesAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        await BeginAsync(db, cancellationToken);
        List<AlertRuleEntity> rows = await db.AlertRules.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(AlertRecords.ToRule).OrderBy(r => r.Name, StringComparer.OrdinalIgnoreCase)];
    }

    private static async Task BeginAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        SettingEntity? begun = await db.Settings.FindAsync([BegunKey], cancellationToken);
        int edition = begun is null ? 0 : int.TryParse(begun.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int written) ? written : 1;
        if (edition >= AlertKinds.Edition)
        {
            return;
        }

        // Whoever wrote a rule of that kind, or of that name, meanwhile has what he wants.
        List<AlertRuleEntity> there = edition == 0 ? [] : await db.AlertRules.AsNoTracking().ToListAsync(cancellationToken);
        db.AlertRules.AddRange(AlertKinds.Defaults
            .Where(r => AlertKinds.SinceEdition.GetValueOrDefault(r.Kind, 1) > edition && !there.Exists(t => t.Id == r.Id || string.Equals(t.Name, r.Name, StringComparison.OrdinalIgnoreCase)))
            .Select(AlertRecords.ToEntity));
        string value = AlertKinds.Edition.ToString(CultureInfo.InvariantCulture);
        if (begun is null)
        {
            db.Settings.Add(new SettingEntity { Key = BegunKey, Value = value });
        }
        else
        {
            begun.Value = value;
        }

        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Channels by name.</summary>
    public async Task<ImmutableArray<AlertChannel>> ChannelsAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        List<AlertChannelEntity> rows = await db.AlertChannels.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(AlertRecords.ToChannel).OrderBy(c => c.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Writes rows of channels anew that an older hub left otherwise than they are kept now.</summary>
    /// <param name="rewrite">Changes a row; false: it is as it should be.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RewriteChannelsAsync(Func<AlertChannelEntity, bool> rewrite, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        bool isChanged = false;
        foreach (AlertChannelEntity row in await db.AlertChannels.ToListAsync(cancellationToken))
        {
            isChanged |= rewrite(row);
        }

        if (isChanged)
        {
            await db.SaveChangesAsync(cancellationToken);
        }
    }

    /// <summary>The closed secret of a channel, null: it has none, or is gone.</summary>
    public async Task<string?> ClosedSecretAsync(string channel, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.AlertChannels.AsNoTracking().Where(c => c.Id == channel).Select(c => c.ClosedSecret).SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>Makes or changes a rule: one of revision 1 is new, any other takes the place of the revision before it.</summary>
    /// <returns>False: the one before it is not there any more, because somebody was faster; nothing was done.</returns>
    /// <exception cref="DbUpdateException">It could not be written; nothing was done.</exception>
    public Task<bool> SaveAsync(AlertRule rule, AuditDraft draft, CancellationToken cancellationToken) => ChangeAsync(
        draft,
        async (db, stop) =>
        {
            AlertRuleEntity wanted = AlertRecords.ToEntity(rule);
            if (rule.Revision == 1)
            {
                db.AlertRules.Add(wanted);
                return;
            }

            AlertRuleEntity row = await db.AlertRules.FindAsync([rule.Id], stop) ?? throw new DbUpdateConcurrencyException();
            (row.Name, row.DefinitionJson, row.Revision) = (wanted.Name, wanted.DefinitionJson, wanted.Revision);

            // What was just read is not what was looked at: without this the token would compare the row with itself.
            db.Entry(row).Property(r => r.Revision).OriginalValue = rule.Revision - 1;
        },
        cancellationToken);

    /// <summary>Takes a rule away.</summary>
    /// <returns>False: it is not so any more, because somebody was faster; nothing was done.</returns>
    public Task<bool> RemoveRuleAsync(AlertRule rule, AuditDraft draft, CancellationToken cancellationToken) =>
        ChangeAsync(draft, async (db, stop) => MustBeOne(await db.AlertRules.Where(r => r.Id == rule.Id && r.Revision == rule.Revision).ExecuteDeleteAsync(stop)), cancellationToken);

    /// <summary>Makes or changes a channel, as a rule.</summary>
    /// <param name="channel">As it is to be.</param>
    /// <param name="closedSecret">Its secret, closed; null: it has none.</param>
    /// <param name="draft">For the audit.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <returns>False: the one before it is not there any more, because somebody was faster; nothing was done.</returns>
    /// <exception cref="DbUpdateException">It could not be written; nothing was done.</exception>
    public Task<bool> SaveAsync(AlertChannel channel, string? closedSecret, AuditDraft draft, CancellationToken cancellationToken) => ChangeAsync(
        draft,
        async (db, stop) =>
        {
            AlertChannelEntity wanted = AlertRecords.ToEntity(channel, closedSecret);
            if (channel.Revision == 1)
            {
                db.AlertChannels.Add(wanted);
                return;
            }

            AlertChannelEntity row = await db.AlertChannels.FindAsync([channel.Id], stop) ?? throw new DbUpdateConcurrencyException();
            (row.Name, row.DefinitionJson, row.Revision, row.ClosedSecret) = (wanted.Name, wanted.DefinitionJson, wanted.Revision, closedSecret);
            db.Entry(row).Property(r => r.Revision).OriginalValue = channel.Revision - 1;
        },
        cancellationToken);

    /// <summary>Takes a channel away; what waits for it is dropped.</summary>
    /// <returns>False: it is not so any more, because somebody was faster; nothing was done.</returns>
    public Task<bool> RemoveChannelAsync(AlertChannel channel, AuditDraft draft, CancellationToken cancellationToken) =>
        ChangeAsync(draft, async (db, stop) => MustBeOne(await db.AlertChannels.Where(c => c.Id == channel.Id && c.Revision == channel.Revision).ExecuteDeleteAsync(stop)), cancellationToken);

    private async Task<bool> ChangeAsync(AuditDraft draft, Func<HubDbContext, CancellationToken, Task> change, CancellationToken stop)
    {
        try
        {
            await audit.ChangeAsync(draft, change, stop);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            return false;
        }
    }

    private static void MustBeOne(int rows)
    {
        if (rows != 1)
        {
            throw new DbUpdateConcurrencyException();
        }
    }
}
