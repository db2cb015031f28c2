using System.Collections.Immutable;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Orders;

namespace FailoverHub.Agent.Platform;

/// <summary>What a node keeps on disk: a file for each thing, so that none can take another with it.</summary>
internal sealed record NodeFiles(IntentStore Intents, OrderStore Orders, FailbackStore Failback, DrainMark DrainMark)
{
    // Made by every agent that has run here, and read by nobody before them.
    private static readonly string[] _signsOfALifeBefore = ["router-id.json", "intent.json", "orders.json", "journal/acknowledged.json"];

    private const string HowToLift = "'failoverhub-agent undrain' ends that";

    /// <summary>Where all of them are.</summary>
    public required string Root { get; init; }

    /// <summary>The directory is there and cannot be written: what is not in it may be missing for that reason.</summary>
    public bool CannotBeWritten { get; init; }

    /// <param name="directory">Where.</param>
    /// <param name="warn">Takes sentences for the log.</param>
    public static NodeFiles In(string directory, Action<string> warn) => new(
        new IntentStore(Path.Combine(directory, "intent.json"), warn),
        new OrderStore(Path.Combine(directory, "orders.json"), warn),
        new FailbackStore(Path.Combine(directory, "failback.json")),
        new DrainMark(Path.Combine(directory, "drained")))
    {
        Root = directory,
    };

    /// <summary>What the last process left, and what of it has to be presumed because it cannot be read.</summary>
    public NodeMemory Load(DateTimeOffset now)
    {
        var problems = ImmutableArray.CreateBuilder<string>();
        var (intent, intentProblem) = Intents.Load();
        if (intentProblem is not null)
        {
            problems.Add(DrainMark.IsSet ? $"{intentProblem}; the node was drained when it was last heard of, so nothing is announced: {HowToLift}, as does the hub's next word" : intentProblem);
        }

        var (orders, ordersProblem) = Orders.Load();
        orders = orders?.Under(intent);
        if (orders is null)
        {
            orders = new LocalOrders
            {
                Drain = DrainMark.IsSet ? new LocalDrain("", "the file of the local orders cannot be read, and the node was drained", now, intent?.Revision ?? 0) : null,
                RolesLostAfter = intent?.Revision ?? 0,
            };
            var aside = Orders.ReplaceDamaged(orders) is { } place ? $", and kept as {place}" : "";
            problems.Add($"what was ordered on this node itself is lost ({ordersProblem}{aside}): {ConsequenceOfTheLoss(orders)}");
        }
        else if (orders.RolesLostAfter is not null)
        {
            problems.Add($"what was ordered on this node itself was lost before an earlier start: {ConsequenceOfTheLoss(orders)}");
        }

        var (failback, failbackProblem) = Failback.Load();
        if (failbackProblem is not null)
        {
            problems.Add(failbackProblem);
        }
        else if ((CannotBeWritten || !failback.IsKept) && Doubt() is { } doubt)
        {
            failback = failback with { IsLost = true, Doubt = doubt };
        }

        return new NodeMemory
        {
            Intent = intent,
            IntentIsLost = intentProblem is not null,
            IntentDrainPresumed = intentProblem is not null && DrainMark.IsSet,
            Orders = orders,
            Failback = failback,
            Entries = [.. Intents.Entries, .. Orders.Entries],
            Problems = problems.ToImmutable(),
        };
    }

    private static string ConsequenceOfTheLoss(LocalOrders orders) => orders.Drain is { IsPresumed: true }
        ? $"the node was drained when it was last heard of, so NOTHING IS ANNOUNCED: {HowToLift}"
        : "a prefix may have been ordered to be secondary, so none is announced as primary: 'failoverhub-agent role default' ends that, as does a newer intent of the hub for the prefixes that it names";

    // Null: this is the first start here, as far as anybody can tell.
    private string? Doubt() => CannotBeWritten
        ? "nobody can tell whether it was primary here before, because the state directory cannot be written"
        : _signsOfALifeBefore.Any(name => File.Exists(Path.Combine(Root, name))) || HasAJournal()
            ? "nobody can tell whether it was primary here before, because an agent has run here that did not keep it"
            : null;

    private bool HasAJournal()
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(Root, "journal"), "*.ndjson").Any();
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What cannot be looked into may be full.
            return true;
        }
    }
}
