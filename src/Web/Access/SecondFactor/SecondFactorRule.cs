using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access.SecondFactor;

/// <summary>Whether everybody who signs in by a password needs a second factor. A setting of the hub, off until an admin says so.</summary>
internal sealed class SecondFactorRule(IDbContextFactory<HubDbContext> database, AuditLog audit)
{
    private const string Key = "access.second-factor";
    private const string Required = "required";

    public async Task<bool> IsRequiredAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return await db.Settings.AnyAsync(s => s.Key == Key && s.Value == Required, cancellationToken);
    }

    /// <summary>From the next sign-in of each on. False: it could not be written.</summary>
    public async Task<bool> RequireAsync(bool required, Actor actor, CancellationToken cancellationToken)
    {
        string value = required ? Required : "optional";
        var draft = new AuditDraft { Actor = actor, Action = "second-factor-rule", Target = "hub", After = $$"""{"secondFactor":"{{value}}"}""", Outcome = "accepted" };
        try
        {
            await audit.ChangeAsync(draft, async (db, stop) =>
            {
                await db.Settings.Where(s => s.Key == Key).ExecuteDeleteAsync(stop);
                db.Settings.Add(new SettingEntity { Key = Key, Value = value });
            }, cancellationToken);
            return true;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return false;
        }
    }
}
