using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Identity;

/// <summary>
/// The hub's authority as the database knows it. The fingerprint is stored beside the nodes: a data folder that has lost its key is recognised
/// and never answered with another authority.
/// </summary>
internal sealed class HubIdentity(DataFolder folder, IDbContextFactory<HubDbContext> database, TimeProvider time) : IDisposable
{
    private const string FingerprintKey = "authority.fingerprint";
    private const string TrustKey = "agents.trust";
    private const string UrlKey = "agents.url";
    private const string TrustedByOthers = "others";

    private readonly SemaphoreSlim _opening = new(1);
    private HubAuthority? _authority;

    /// <summary>After <see cref="OpenAsync"/>.</summary>
    /// <exception cref="InvalidOperationException">It is not open yet.</exception>
    public HubAuthority Authority => _authority ?? throw new InvalidOperationException("The hub's authority is not open yet.");

    /// <summary>Reads the authority, or makes it on the very first start. The database must have its newest schema.</summary>
    /// <exception cref="IdentityException">It cannot be used.</exception>
    public async Task<HubAuthority> OpenAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_authority is not null)
            {
                return _authority;
            }

            await using var db = await database.CreateDbContextAsync(cancellationToken);
            var known = await ReadAsync(db, FingerprintKey, cancellationToken);
            var authority = HubAuthority.Open(folder.Path, known, time.GetUtcNow());
            if (known is null)
            {
                await WriteAsync(db, FingerprintKey, authority.Fingerprint, cancellationToken);
            }

            return _authority = authority;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Keeps how agents reach and trust this hub, so that the command line can say it in a token.</summary>
    public async Task RememberEndpointAsync(AgentsEndpoint endpoint, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        await WriteAsync(db, TrustKey, endpoint.Certificate is null ? "authority" : TrustedByOthers, cancellationToken);
        await WriteAsync(db, UrlKey, endpoint.PublicUrl, cancellationToken);
    }

    /// <summary>What stands behind the dot of a join token; null: agents trust the endpoint's certificate by themselves.</summary>
    public async Task<string?> FingerprintForTokensAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await ReadAsync(db, TrustKey, cancellationToken) == TrustedByOthers ? null : (await OpenAsync(cancellationToken)).Fingerprint;
    }

    /// <summary>Where agents reach the hub, as it said when it last started.</summary>
    public async Task<string> PublicUrlAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await ReadAsync(db, UrlKey, cancellationToken) ?? AgentsEndpoint.Default.PublicUrl;
    }

    /// <summary>
    /// Begins anew with another authority, audited: every certificate that there is becomes worthless. The old file, if it is there, is kept beside the new one.
    /// The hub must not run meanwhile; who calls it holds the lock of the data folder.
    /// </summary>
    public async Task<HubAuthority> ResetAsync(AuditLog audit, Actor actor, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var file = Path.Combine(folder.Path, HubAuthority.FileName);
        if (File.Exists(file))
        {
            File.Move(file, $"{file}.{now:yyyyMMddHHmmss}", overwrite: true);
        }

        _authority?.Dispose();
        _authority = HubAuthority.Open(folder.Path, null, now);
        var fingerprint = _authority.Fingerprint;
        var draft = new AuditDraft { Actor = actor, Action = "authority-reset", Target = "hub", After = $$"""{"fingerprint":"{{fingerprint}}"}""", Outcome = "accepted" };
        await audit.ChangeAsync(draft, async (db, stop) =>
        {
            var ms = now.ToUnixTimeMilliseconds();
            await db.NodeCertificates.Where(c => c.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(c => c.RevokedAtMs, ms), stop);
            await db.Settings.Where(s => s.Key == FingerprintKey).ExecuteDeleteAsync(stop);
            db.Settings.Add(new SettingEntity { Key = FingerprintKey, Value = fingerprint });
        }, cancellationToken);
        return _authority;
    }

    public void Dispose()
    {
        _authority?.Dispose();
        _opening.Dispose();
    }

    private static async Task<string?> ReadAsync(HubDbContext db, string key, CancellationToken cancellationToken) =>
        await db.Settings.AsNoTracking().Where(s => s.Key == key).Select(s => s.Value).FirstOrDefaultAsync(cancellationToken);

    private static async Task WriteAsync(HubDbContext db, string key, string value, CancellationToken cancellationToken)
    {
        if (await db.Settings.FindAsync([key], cancellationToken) is { } setting)
        {
            setting.Value = value;
        }
        else
        {
            db.Settings.Add(new SettingEntity { Key = key, Value = value });
        }

        await db.SaveChangesAsync(cancellationToken);
    }
}
