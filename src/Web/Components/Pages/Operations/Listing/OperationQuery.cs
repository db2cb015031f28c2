using System.Collections.Immutable;
using System.Text;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Records;

namespace FailoverHub.Web.Components.Pages.Operations.Listing;

/// <summary>What the list of operations shows, as it stands in its URL: a filtered page can be shared as a link. Pure.</summary>
public sealed record OperationQuery
{
    /// <summary>Words of title, reason or outcome.</summary>
    public string? Text { get; init; }

    /// <summary>Name of a pair.</summary>
    public string? Pair { get; init; }

    /// <summary>"switchover".</summary>
    public string? Type { get; init; }

    /// <summary>Name of one of <see cref="States"/>.</summary>
    public string? State { get; init; }

    /// <summary>Who asked for it.</summary>
    public string? Actor { get; init; }

    /// <summary>States that belong together for whoever looks for them, by their name in the URL.</summary>
    public static ImmutableArray<(string Name, string Words, ImmutableArray<OperationStatus> Statuses)> States { get; } =
    [
        ("waiting", "waiting", [OperationStatus.PendingApproval, OperationStatus.Queued]),
        ("running", "running", [OperationStatus.Running]),
        ("succeeded", "succeeded", [OperationStatus.Succeeded]),
        ("not-succeeded", "did not succeed", [OperationStatus.Failed, OperationStatus.TimedOut, OperationStatus.Refused, OperationStatus.Cancelled]),
        ("unknown", "outcome not known", [OperationStatus.OutcomeUnknown]),
    ];

    /// <summary>Types by their word in the API.</summary>
    public static ImmutableArray<(string Word, OperationType Type)> Types { get; } = [.. Enum.GetValues<OperationType>().Select(type => (OperationRecords.TypeWord(type), type)).OrderBy(type => type.Item1, StringComparer.Ordinal)];

    /// <summary>Nothing is filtered.</summary>
    public bool IsEmpty => this == new OperationQuery();

    /// <summary>The same for the hub. What is not understood is not filtered by.</summary>
    /// <param name="pairId">Id of a pair by its name; of one that there is not, something that no operation has.</param>
    public OperationFilter ToFilter(Func<string, string> pairId) => new()
    {
        PairId = Pair is { Length: > 0 } pair ? pairId(pair) : null,
        Type = Types.Where(type => type.Word == Type).Select(type => (OperationType?)type.Type).FirstOrDefault(),
        Statuses = States.Where(state => state.Name == State).Select(state => state.Statuses).FirstOrDefault([]),
        Actor = Actor is { Length: > 0 } actor ? actor : null,
        Text = Text is { Length: > 0 } text ? text : null,
    };

    /// <summary>The page's address with this query.</summary>
    public string ToUrl()
    {
        var url = new StringBuilder("/operations");
        char next = '?';
        foreach ((string name, string? value) in new[] { ("q", Text), ("pair", Pair), ("type", Type), ("state", State), ("actor", Actor) })
        {
            if (!string.IsNullOrEmpty(value))
            {
                url.Append(next).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                next = '&';
            }
        }

        return url.ToString();
    }
}
