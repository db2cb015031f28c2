using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Alerts.Records;

/// <summary>Rules and channels on the disk; every change is one transaction with its audit entry.</summary>
internal sealed class AlertSettingsStore(IDbContextFactory<HubDbContext> factory, AuditLog audit) : INodeNames
{
    private const string BegunKey = "alerts.rules.begun";

    // What a hub wrote that knew only the first kinds; since then it writes which ones it knows.
    private const string BegunFirst = "1";

    /// <summary>
    /// Rules by name. A hub that has never had any gets those that every hub begins with, and one that is newer than it was those of the kinds that it did not know; what was removed does not come back.
    /// </summary>
    public async Task<ImmutableArray<AlertRule>> RulesAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        SettingEntity? begun = await db.Settings.SingleOrDefaultAsync(s => s.Key == BegunKey, cancellationToken);
        string[] known = begun?.Value switch { null => [], BegunFirst => [.. AlertKinds.First.Select(kind => AlertKinds.Of(kind).Word)], var words => words.Split(' ') };
        AlertRule[] added = [.. AlertKinds.Defaults.Where(rule => !known.Contains(AlertKinds.Of(rule.Kind).Word))];
        List<AlertRuleEntity> rows = await db.AlertRules.AsNoTracking().ToListAsync(cancellationToken);
        if (added.Length > 0)
        {
            AlertRuleEntity[] entities = [.. added.Where(rule => !rows.Exists(r => r.Id == rule.Id || string.Equals(r.Name, rule.Name, StringComparison.OrdinalIgnoreCase))).Select(AlertRecords.ToEntity)];
            db.AlertRules.AddRange(entities);
            begun ??= db.Settings.Add(new SettingEntity { Key = BegunKey, Value = "" }).Entity;
            begun.Value = string.Join(' ', Enum.GetValues<AlertKind>().Select(kind => AlertKinds.Of(kind).Word));
            await db.SaveChangesAsync(cancellationToken);
            rows.AddRange(entities);
        }

        return [.. rows.Select(AlertRecords.ToRule).OrderBy(r => r.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Channels by name.</summary>
    public async Task<ImmutableArray<AlertChannel>> ChannelsAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        List<AlertChannelEntity> rows = await db.AlertChannels.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(AlertRecords.ToChannel).OrderBy(c => c.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Told of the old and the new name when rules follow a node to another one on the disk; by whoever knows them without asking it.</summary>
    public Func<string, string, Task>? NodeRenamed { get; set; }

    /// <inheritdoc/>
    public Task RenamedAsync(string from, string to) => NodeRenamed?.Invoke(from, to) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async Task RenameAsync(HubDbContext db, string from, string to, CancellationToken cancellationToken)
    {
        foreach (AlertRuleEntity row in await db.AlertRules.ToListAsync(cancellationToken))
        {
            if (AlertRecords.ToRule(row).WithNodeRenamed(from, to) is { } renamed)
            {
                (row.DefinitionJson, row.Revision) = (AlertRecords.ToJson(renamed), renamed.Revision);
            }
        }
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
