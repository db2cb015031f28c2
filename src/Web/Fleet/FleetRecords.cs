using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Fleet;

/// <summary>The one place where facts of the fleet meet their rows.</summary>
internal static class FleetRecords
{
    /// <summary>What was known when the hub last ran: who there is and what is wanted of them; nothing of what is so now.</summary>
    public static async Task<FleetFacts> LoadAsync(IDbContextFactory<HubDbContext> factory, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var intentOf = await NewestAsync(db.Intents.Where(i => i.Stage == IntentStage.Released || i.Stage == IntentStage.Confirmed), cancellationToken);
        var confirmedOf = await NewestAsync(db.Intents.Where(i => i.Stage == IntentStage.Confirmed), cancellationToken);
        var facts = FleetFacts.Empty;
        foreach (var node in await db.Nodes.AsNoTracking().ToListAsync(cancellationToken))
        {
            facts = facts with
            {
                Nodes = facts.Nodes.SetItem(node.Name, new NodeFacts
                {
                    Name = node.Name,
                    AgentVersion = node.AgentVersion,
                    DataCenter = node.DataCenter,
                    RemoteAddress = node.RemoteAddress,
                    LastReportAt = node.LastReportAtMs is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
                    Intent = intentOf.GetValueOrDefault(node.Name),
                    Confirmed = confirmedOf.GetValueOrDefault(node.Name),
                }),
            };
        }

        foreach (var (name, identity) in await Identity.IdentityRecords.LoadFactsAsync(db, cancellationToken))
        {
            facts = facts with { Nodes = facts.Nodes.SetItem(name, (facts.Nodes.GetValueOrDefault(name) ?? new NodeFacts { Name = name }) with { Identity = identity }) };
        }

        foreach (var pair in await db.Pairs.AsNoTracking().Include(p => p.Members).ToListAsync(cancellationToken))
        {
            facts = facts with { Pairs = facts.Pairs.SetItem(pair.Id, ToPair(pair)) };
        }

        var freezes = await db.Freezes.AsNoTracking().ToListAsync(cancellationToken);
        return facts with { Freezes = [.. freezes.OrderBy(f => f.Scope, StringComparer.Ordinal).Select(ToFreeze)] };
    }

    public static FreezeFacts ToFreeze(FreezeEntity entity) =>
        new(entity.Scope, DateTimeOffset.FromUnixTimeMilliseconds(entity.UntilMs), entity.Actor, entity.Reason, entity.OperationId);

    public static IntentFacts ToIntent(IntentEntity entity) => new()
    {
        Revision = entity.Revision,
        Drained = entity.Drained,
        Roles = entity.Roles.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split('='))
            .ToImmutableSortedDictionary(r => r[0], r => Enum.Parse<Role>(r[1]), StringComparer.Ordinal),
        Failback = IntentFacts.NoFailback.SetItems(FailbackParts(entity).Select(f => KeyValuePair.Create(f[0], ToFailback(f[1])))),
        AtOnce = [.. FailbackParts(entity).Where(f => f.Length > 2).Select(f => f[0])],
        LiftLocalDrain = entity.LiftLocalDrain,
        OnReturn = entity.OnReturn,
        OperationId = entity.OperationId,
        Reason = entity.Reason,
    };

    /// <summary>"AfterStable:60".</summary>
    public static string ToText(Failback failback) => string.Create(CultureInfo.InvariantCulture, $"{failback.Policy}:{failback.StableFor.TotalSeconds:0}");

    /// <summary>Reads what <see cref="ToText"/> wrote.</summary>
    public static Failback ToFailback(string text)
    {
        var parts = text.Split(':');
        return Failback.Of(Enum.Parse<FailbackPolicy>(parts[0]), TimeSpan.FromSeconds(long.Parse(parts[1], CultureInfo.InvariantCulture)));
    }

    // "203.0.113.10/32=AfterStable:60", with "=once" after it where it is to be primary at once.
    private static IEnumerable<string[]> FailbackParts(IntentEntity entity) => entity.Failback.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => f.Split('='));

    public static IntentEntity ToEntity(string node, IntentFacts intent, IntentStage stage, DateTimeOffset at) => new()
    {
        Node = node,
        Revision = intent.Revision,
        Drained = intent.Drained,
        Roles = string.Join(' ', intent.Roles.Select(r => $"{r.Key}={r.Value}")),
        Failback = string.Join(' ', intent.Failback.Select(f => $"{f.Key}={ToText(f.Value)}{(intent.AtOnce.Contains(f.Key) ? "=once" : "")}")),
        LiftLocalDrain = intent.LiftLocalDrain,
        OnReturn = intent.OnReturn,
        Stage = stage,
        OperationId = intent.OperationId,
        Reason = intent.Reason,
        WrittenAtMs = at.ToUnixTimeMilliseconds(),
    };

    /// <summary>
    /// Adds or updates the pair's row. Its revision is only ever raised; its policy and where it was moved to belong to the transactions of the operations that change them: what waited
    /// here, or was lost, must not undo those.
    /// </summary>
    public static async Task UpsertPairAsync(HubDbContext db, PairFacts pair, CancellationToken cancellationToken)
    {
        var entity = await db.Pairs.Include(p => p.Members).SingleOrDefaultAsync(p => p.Id == pair.Id, cancellationToken);
        if (entity is null)
        {
            entity = new PairEntity { Id = pair.Id, Name = pair.Name, DataCenter = pair.DataCenter, Prefixes = "" };
            db.Pairs.Add(entity);
            SetMove(entity, pair.LastMove);
            SetFailback(entity, pair.Failback);
        }

        entity.Name = pair.Name;
        entity.PreferredNode = pair.PreferredNode;
        entity.Prefixes = string.Join(' ', pair.Prefixes);
        entity.Revision = Math.Max(entity.Revision, pair.Revision);
        entity.Members.RemoveAll(m => !pair.Members.Contains(m.Node));
        entity.Members.AddRange(pair.Members.Where(n => !entity.Members.Exists(m => m.Node == n)).Select(n => new PairMemberEntity { Node = n, PairId = pair.Id }).ToList());
    }

    /// <summary>Where it was moved to; null: as before.</summary>
    public static void SetMove(PairEntity pair, PairMove? move)
    {
        if (move is not null)
        {
            pair.MovedTo = move.To;
            pair.MovedBy = move.By;
            pair.MovedByOperation = move.OperationId;
            pair.MovedAtMs = move.At.ToUnixTimeMilliseconds();
        }
    }

    /// <summary>The policy that somebody has set; null: as before.</summary>
    public static void SetFailback(PairEntity pair, Failback? failback) => pair.Failback = failback is null ? pair.Failback : ToText(failback);

    private static async Task<Dictionary<string, IntentFacts>> NewestAsync(IQueryable<IntentEntity> intents, CancellationToken cancellationToken)
    {
        var newest = await intents.AsNoTracking().GroupBy(i => i.Node).Select(g => g.OrderByDescending(i => i.Revision).First()).ToListAsync(cancellationToken);

        // The table tells "Web-1" from "web-1", which are one node here: it was written otherwise once, in an agent without a certificate.
        return newest.GroupBy(i => i.Node, StringComparer.OrdinalIgnoreCase).ToDictionary(g => g.Key, g => ToIntent(g.MaxBy(i => i.Revision)!), StringComparer.OrdinalIgnoreCase);
    }

    private static PairFacts ToPair(PairEntity entity) => new()
    {
        Id = entity.Id,
        Name = entity.Name,
        DataCenter = entity.DataCenter,
        PreferredNode = entity.PreferredNode,
        Revision = entity.Revision,
        Failback = entity.Failback is { } failback ? ToFailback(failback) : null,
        Members = entity.Members.Select(m => m.Node).ToImmutableSortedSet(StringComparer.OrdinalIgnoreCase),
        Prefixes = [.. entity.Prefixes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => IPNetwork.Parse(p)).OrderBy(p => p, PrefixOrder.Instance)],
        LastMove = entity is { MovedTo: { } to, MovedBy: { } by, MovedByOperation: { } operation, MovedAtMs: { } at }
            ? new PairMove(to, by, operation, DateTimeOffset.FromUnixTimeMilliseconds(at))
            : null,
    };
}

/// <summary>Keeps who a node is. Of several that wait only the newest is written.</summary>
internal sealed class NodeWrite(NodeFacts node) : HubWrite
{
    public override string Key => $"node {node.Name}";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var entity = await db.Nodes.FindAsync([node.Name], cancellationToken);
        if (entity is null)
        {
            entity = new NodeEntity { Name = node.Name, AgentVersion = "", DataCenter = "" };
            db.Nodes.Add(entity);
        }

        entity.AgentVersion = node.AgentVersion;
        entity.DataCenter = node.DataCenter;
        entity.RemoteAddress = node.RemoteAddress;
        entity.LastReportAtMs = node.LastReportAt?.ToUnixTimeMilliseconds() ?? entity.LastReportAtMs;
    }
}

/// <summary>Nothing is kept under that name any more. It takes the place of what was still to be written under it.</summary>
internal sealed class NodeForgetting(string node) : HubWrite
{
    public override string Key => $"node {node}";

    public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken) => db.Nodes.Where(n => n.Name == node).ExecuteDeleteAsync(cancellationToken);
}

/// <summary>A pair without members is none.</summary>
internal sealed class PairForgetting(string pairId) : HubWrite
{
    public override string Key => $"pair {pairId}";

    public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken) => db.Pairs.Where(p => p.Id == pairId).ExecuteDeleteAsync(cancellationToken);
}

/// <summary>Keeps a pair. Of several that wait only the newest is written.</summary>
internal sealed class PairWrite(PairFacts pair) : HubWrite
{
    public override string Key => $"pair {pair.Id}";

    public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken) => FleetRecords.UpsertPairAsync(db, pair, cancellationToken);
}

/// <summary>Keeps an intent that a node told the hub about.</summary>
internal sealed class AdoptedIntentWrite(string node, IntentFacts intent, DateTimeOffset at) : HubWrite
{
    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Intents.FindAsync([node, intent.Revision], cancellationToken) is { } known)
        {
            known.Stage = IntentStage.Confirmed;
        }
        else
        {
            db.Intents.Add(FleetRecords.ToEntity(node, intent, IntentStage.Confirmed, at));
        }
    }
}

/// <summary>Keeps what has become of an intent that was released.</summary>
internal sealed class IntentStageWrite(string node, long revision, IntentStage stage) : HubWrite
{
    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Intents.FindAsync([node, revision], cancellationToken) is { } intent)
        {
            intent.Stage = stage;
        }
    }
}
