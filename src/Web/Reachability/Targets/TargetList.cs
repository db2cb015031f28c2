using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Targets;

/// <summary>What came of changing the list.</summary>
/// <param name="Target">As it is now; null: it is gone, or nothing was done.</param>
/// <param name="Problem">Why nothing was done; null: it was.</param>
internal sealed record TargetChange(NamedTarget? Target, string? Problem)
{
    /// <summary>There is no target of that name.</summary>
    public bool NotFound { get; init; }

    /// <summary>Whoever asks may not do that.</summary>
    public bool Forbidden { get; init; }

    /// <summary>It is not any more what whoever asks has seen.</summary>
    public bool Stale { get; init; }
}

/// <summary>
/// The targets that operators have added: the one owner of that list. Every change is one transaction with its audit entry, one after the other; the prober
/// reads what is committed.
/// </summary>
internal sealed class TargetList(IDbContextFactory<HubDbContext> factory, AuditLog audit, TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>So many there may be.</summary>
    public const int Most = 5_000;

    /// <summary>So many of kind http: each probe of one is a connection with its handshakes.</summary>
    public const int MostHttp = 500;

    public const string Added = "target-added";
    public const string Changed = "target-changed";
    public const string Removed = "target-removed";

    private readonly SemaphoreSlim _one = new(1);
    private readonly LatestValue<ImmutableArray<NamedTarget>> _targets = new([]);

    /// <summary>Every target, by name.</summary>
    public ImmutableArray<NamedTarget> Current => _targets.Current;

    /// <summary>The list after each change, the present one first; ends when cancelled.</summary>
    public IAsyncEnumerable<ImmutableArray<NamedTarget>> WatchAsync(CancellationToken cancellationToken) => _targets.WatchAsync(cancellationToken);

    /// <summary>One, whatever the case of its name; null: there is none.</summary>
    public NamedTarget? Find(string name) => Current.FirstOrDefault(t => string.Equals(t.Name, name, StringComparison.OrdinalIgnoreCase));

    public async Task StartAsync(CancellationToken cancellationToken) => _targets.Publish(await ReadAsync(cancellationToken));

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _one.Dispose();

    /// <summary>Adds one.</summary>
    /// <exception cref="DbUpdateException">It could not be audited, and was not done.</exception>
    public Task<TargetChange> AddAsync(NamedTarget target, Actor actor, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            if (await ForbiddenAsync(Added, target, null, actor, cancellationToken) is { } forbidden)
            {
                return forbidden;
            }

            ImmutableArray<NamedTarget> now = await ReadAsync(cancellationToken);
            string? problem = Find(now, target.Name) is not null ? $"There is a target '{target.Name}' already."
                : now.Length >= Most ? $"There are {Most} targets, as many as there may be: remove one first."
                : ProblemOfHttp(now, target);
            return problem is not null ? await RefuseAsync(Added, null, target, problem, actor, cancellationToken) : await WriteAsync(Added, now, null, target, actor, cancellationToken);
        },
        cancellationToken);

    /// <summary>Changes one in place of what it was; its past stays with it. The name stays as it is.</summary>
    /// <param name="target">As it is to be.</param>
    /// <param name="seen"><see cref="NamedTarget.Revision"/> of what whoever asks has seen; null: whatever it is.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <exception cref="DbUpdateException">It could not be audited, and was not done.</exception>
    public Task<TargetChange> ChangeAsync(NamedTarget target, long? seen, Actor actor, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            ImmutableArray<NamedTarget> now = await ReadAsync(cancellationToken);
            return Find(now, target.Name) is not { } before ? await RefuseUnknownAsync(Changed, target.Name, actor, cancellationToken)
                : await StaleAsync(Changed, before, seen, actor, cancellationToken) is { } stale ? stale
                : await ForbiddenAsync(Changed, target, before, actor, cancellationToken) is { } forbidden ? forbidden
                : ProblemOfHttp(now.Remove(before), target) is { } problem ? await RefuseAsync(Changed, before, target, problem, actor, cancellationToken)
                : await WriteAsync(Changed, now, before, NamedTarget.TryCreate(target.Draft with { Name = before.Name }, out _), actor, cancellationToken);
        },
        cancellationToken);

    /// <summary>Removes one: it is probed no more. What its probes came to is kept as long as that of others.</summary>
    /// <param name="name">Its name, whatever the case.</param>
    /// <param name="seen"><see cref="NamedTarget.Revision"/> of what whoever asks has seen; null: whatever it is.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <exception cref="DbUpdateException">It could not be audited, and was not done.</exception>
    public Task<TargetChange> RemoveAsync(string name, long? seen, Actor actor, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            ImmutableArray<NamedTarget> now = await ReadAsync(cancellationToken);
            return Find(now, name) is not { } before ? await RefuseUnknownAsync(Removed, name, actor, cancellationToken)
                : await StaleAsync(Removed, before, seen, actor, cancellationToken) is { } stale ? stale
                : await WriteAsync(Removed, now, before, null, actor, cancellationToken);
        },
        cancellationToken);

    /// <summary>There is no target of that name to change or remove: the attempt is audited.</summary>
    /// <exception cref="DbUpdateException">It could not be audited.</exception>
    public async Task<TargetChange> RefuseUnknownAsync(string action, string name, Actor actor, CancellationToken cancellationToken)
    {
        string why = $"No target is called '{name}'.";
        await audit.WriteAsync(new AuditDraft { Actor = actor, Action = action, Target = $"target {name}", Outcome = $"refused: {why}" }, cancellationToken);
        return new TargetChange(null, why) { NotFound = true };
    }

    /// <summary>Somebody was faster: the attempt is audited, and nothing is done. Null: it is what was seen.</summary>
    private async Task<TargetChange?> StaleAsync(string action, NamedTarget before, long? seen, Actor actor, CancellationToken cancellationToken)
    {
        if (seen is null || seen == before.Revision)
        {
            return null;
        }

        return await RefuseAsync(action, before, null, "Somebody has changed it since it was looked at: look at it again, then decide again.", actor, cancellationToken) with { Stale = true };
    }

    /// <summary>What the hub fetches, and tells of whether the body matches, is a way to look behind it: only for who administers it. The attempt is audited.</summary>
    private async Task<TargetChange?> ForbiddenAsync(string action, NamedTarget target, NamedTarget? before, Actor actor, CancellationToken cancellationToken)
    {
        if (actor.Rights.HasFlag(Rights.Administer) || (target.Draft.Kind != NamedTargetKind.Http && before?.Draft.Kind != NamedTargetKind.Http))
        {
            return null;
        }

        const string Why = "A target of kind http is fetched by the hub: adding or changing one needs the role Admin, or a token of scope admin.";
        return await RefuseAsync(action, null, target, Why, actor, cancellationToken) with { Forbidden = true };
    }

    /// <summary>The attempt is audited, and nothing is done.</summary>
    private async Task<TargetChange> RefuseAsync(string action, NamedTarget? before, NamedTarget? wanted, string why, Actor actor, CancellationToken cancellationToken)
    {
        var draft = new AuditDraft
        {
            Actor = actor,
            Action = action,
            Target = $"target {(before ?? wanted)!.Name}",
            Before = before is null ? null : ToJson(before),
            After = wanted is null ? null : ToJson(wanted),
            Outcome = $"refused: {why}",
        };
        await audit.WriteAsync(draft, cancellationToken);
        return new TargetChange(null, why);
    }

    private static NamedTarget? Find(ImmutableArray<NamedTarget> all, string name) => all.FirstOrDefault(t => string.Equals(t.Name, name, StringComparison.OrdinalIgnoreCase));

    private static string? ProblemOfHttp(ImmutableArray<NamedTarget> others, NamedTarget target) =>
        target.Draft.Kind == NamedTargetKind.Http && others.Count(t => t.Draft.Kind == NamedTargetKind.Http) >= MostHttp
            ? $"There are {MostHttp} targets of kind http, as many as there may be: ask this one by tcp." : null;

    private async Task<TargetChange> AloneAsync(Func<Task<TargetChange>> change, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await change();
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<TargetChange> WriteAsync(string action, ImmutableArray<NamedTarget> now, NamedTarget? before, NamedTarget? after, Actor actor, CancellationToken cancellationToken)
    {
        string name = (after ?? before)!.Name;
        var draft = new AuditDraft { Actor = actor, Action = action, Target = $"target {name}", Before = before is null ? null : ToJson(before), After = after is null ? null : ToJson(after), Outcome = "accepted" };
        await audit.ChangeAsync(
            draft,
            async (db, stop) =>
            {
                ProbeTargetEntity? row = await db.ProbeTargets.SingleOrDefaultAsync(t => t.NameKey == KeyOf(name), stop);
                if (after is null)
                {
                    db.ProbeTargets.Remove(row!);
                    return;
                }

                if (row is null)
                {
                    db.ProbeTargets.Add(row = new ProbeTargetEntity { Name = name, NameKey = KeyOf(name), Kind = "", Address = "", IntervalMs = 0, Options = "", ChangedAtMs = 0 });
                }

                row.Kind = after.Draft.Kind.ToString();
                row.Address = after.Draft.Address!;
                row.IntervalMs = (int)after.Draft.Interval.TotalMilliseconds;
                row.Options = ToJson(after);
                row.ChangedAtMs = time.GetUtcNow().ToUnixTimeMilliseconds();
            },
            cancellationToken);

        // Not read anew: what is committed is done, also when the database cannot be read right behind it.
        _targets.Publish(InOrder(now.Where(t => t != before).Concat(after is null ? [] : [after])));
        return new TargetChange(after, null);
    }

    private async Task<ImmutableArray<NamedTarget>> ReadAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);

        // What a later version has written and this one does not understand is not probed, and stays as it is.
        return InOrder((await db.ProbeTargets.AsNoTracking().ToListAsync(cancellationToken)).Select(FromRow).OfType<NamedTarget>());
    }

    private static ImmutableArray<NamedTarget> InOrder(IEnumerable<NamedTarget> targets) => [.. targets.OrderBy(t => t.Name, StringComparer.OrdinalIgnoreCase)];

    private static NamedTarget? FromRow(ProbeTargetEntity row)
    {
        try
        {
            return JsonSerializer.Deserialize<NamedTargetDraft>(row.Options) is { } draft ? NamedTarget.TryCreate(draft with { Name = row.Name }, out _) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string ToJson(NamedTarget target) => JsonSerializer.Serialize(target.Draft);

    private static string KeyOf(string name) => name.ToLower(CultureInfo.InvariantCulture);
}
