using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Records;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>The one place where waiting operations meet their rows.</summary>
internal static class WaitingRecords
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static string ToJson(OperationRequest request, Actor actor, long? after = null) => JsonSerializer.Serialize(
        new RequestRow
        {
            Type = request.Type.ToString(),
            Pair = request.Pair,
            Node = request.Node,
            Target = request.Target,
            Prefix = request.Prefix?.ToString(),
            Role = request.Role?.ToString(),
            Failback = request.Failback is { } failback ? FleetRecords.ToText(failback) : null,
            Neighbor = request.Neighbor,
            DataCenter = request.DataCenter,
            ExpiresInSeconds = (long?)request.ExpiresIn?.TotalSeconds,
            DeadlineSeconds = (long?)request.Deadline?.TotalSeconds,
            Reason = request.Reason,
            ExpectedRevision = request.ExpectedRevision,
            OverrideRules = [.. request.OverrideRules],
            StartAtMs = request.StartAt?.ToUnixTimeMilliseconds(),
            WindowEndsMs = request.WindowEndsAt?.ToUnixTimeMilliseconds(),
            Automatic = request.Automatic,
            Ends = request.Ends,
            After = after,
            ActorName = actor.Name,
            RemoteAddress = actor.RemoteAddress,
            ForwardedFor = actor.ForwardedFor,
            ByMachine = actor.Behind is Requester.Machine,
            AccountId = (actor.Behind as Requester.Account)?.Id,
            TokenId = (actor.Behind as Requester.Token)?.Id,
            TokenOwnerId = ((actor.Behind as Requester.Token)?.Person as Requester.Account)?.Id,
            TokenByMachine = (actor.Behind as Requester.Token)?.Person is Requester.Machine,
        },
        Json);

    /// <summary>Null: it does not wait, or not any more.</summary>
    public static WaitingOperation? ToWaiting(OperationEntity entity)
    {
        if (entity.RequestJson is not { } text || JsonSerializer.Deserialize<RequestRow>(text, Json) is not { } row)
        {
            return null;
        }

        var request = new OperationRequest
        {
            Type = Enum.Parse<OperationType>(row.Type),
            Pair = row.Pair,
            Node = row.Node,
            Target = row.Target,
            Prefix = row.Prefix is { } prefix ? IPNetwork.Parse(prefix) : null,
            Role = row.Role is { } role ? Enum.Parse<Role>(role) : null,
            Failback = row.Failback is { } failback ? FleetRecords.ToFailback(failback) : null,
            Neighbor = row.Neighbor,
            DataCenter = row.DataCenter,
            ExpiresIn = Seconds(row.ExpiresInSeconds),
            Deadline = Seconds(row.DeadlineSeconds),
            Reason = row.Reason,
            ExpectedRevision = row.ExpectedRevision,
            OverrideRules = [.. row.OverrideRules],
            StartAt = Time(row.StartAtMs),
            WindowEndsAt = Time(row.WindowEndsMs),
            Automatic = row.Automatic,
            Ends = row.Ends,
        };
        return new WaitingOperation(OperationRecords.ToView(entity), request, new Actor(row.ActorName, row.RemoteAddress, row.ForwardedFor) { Behind = RequesterOf(row) }) { After = row.After };
    }

    // What he may do is not kept: it is looked up when it begins.
    private static Requester? RequesterOf(RequestRow row) =>
        row.TokenId is { } token ? new Requester.Token(token, row.TokenOwnerId is { } owner ? new Requester.Account(owner) : row.TokenByMachine ? new Requester.Machine() : null)
        : row.AccountId is { } account ? new Requester.Account(account)
        : row.ByMachine ? new Requester.Machine()
        : null;

    private static TimeSpan? Seconds(long? seconds) => seconds is { } value ? TimeSpan.FromSeconds(value) : null;

    private static DateTimeOffset? Time(long? ms) => ms is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    private sealed record RequestRow
    {
        public required string Type { get; init; }

        public string? Pair { get; init; }

        public string? Node { get; init; }

        public string? Target { get; init; }

        public string? Prefix { get; init; }

        public string? Role { get; init; }

        public string? Failback { get; init; }

        public string? Neighbor { get; init; }

        public string? DataCenter { get; init; }

        public long? ExpiresInSeconds { get; init; }

        public long? DeadlineSeconds { get; init; }

        public string? Reason { get; init; }

        public long? ExpectedRevision { get; init; }

        public ImmutableArray<string> OverrideRules { get; init; } = [];

        public long? StartAtMs { get; init; }

        public long? WindowEndsMs { get; init; }

        public bool Automatic { get; init; }

        public string? Ends { get; init; }

        public long? After { get; init; }

        public required string ActorName { get; init; }

        public string? RemoteAddress { get; init; }

        public string? ForwardedFor { get; init; }

        // One of them, or none when an earlier version wrote it.
        public bool ByMachine { get; init; }

        public string? AccountId { get; init; }

        public long? TokenId { get; init; }

        // Of a token's owner one or the other; neither: it is not known who made it.
        public string? TokenOwnerId { get; init; }

        public bool TokenByMachine { get; init; }
    }
}
