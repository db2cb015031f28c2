using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Delivery;

/// <summary>What may become of a message.</summary>
internal static class DeliveryStates
{
    /// <summary>It has not been delivered yet.</summary>
    public const string Waiting = "waiting";

    /// <summary>The channel took it.</summary>
    public const string Delivered = "delivered";

    /// <summary>The channel did not take it for so long that it is not tried any more.</summary>
    public const string GivenUp = "given-up";

    /// <summary>Another message tells of it.</summary>
    public const string Summarised = "summarised";

    /// <summary>It was a summary that was refused, and goes out in parts.</summary>
    public const string Split = "split";

    /// <summary>It waited so long that what it says is not so any more; a newer message says what is.</summary>
    public const string Expired = "expired";

    /// <summary>Its channel is gone.</summary>
    public const string Dropped = "dropped";
}

/// <summary>A message to a channel and what became of it.</summary>
public sealed record DeliveryRecord
{
    /// <summary>Grows with time; the receiver of a webhook sees it too.</summary>
    public required long Id { get; init; }

    /// <summary>To which channel.</summary>
    public required string ChannelId { get; init; }

    /// <summary>Of which alert, null: of more than one, or a test.</summary>
    public required string? AlertId { get; init; }

    /// <summary>"raised", "reminder", "acknowledged", "unacknowledged", "resolved", "summary" or "test".</summary>
    public required string Notice { get; init; }

    /// <summary>Of the alert; of a summary the worst.</summary>
    public required EventSeverity Severity { get; init; }

    /// <summary>One line of what it says.</summary>
    public required string Title { get; init; }

    /// <summary>When it was decided that it is sent.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is tried next, while it waits.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>"waiting", "delivered", "given-up", "summarised", "split", "expired" or "dropped".</summary>
    public required string State { get; init; }

    /// <summary>How often it was tried.</summary>
    public required int Attempts { get; init; }

    /// <summary>When it was last tried, null: never.</summary>
    public required DateTimeOffset? LastAttemptAt { get; init; }

    /// <summary>Why that did not work, null: it did, or it was not tried.</summary>
    public required string? LastError { get; init; }

    /// <summary>When the channel took it, null: it has not.</summary>
    public required DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>The message that tells of it among others, null: none.</summary>
    public required long? SummaryId { get; init; }

    /// <summary>The newest attempts, oldest first; at most ten.</summary>
    public required ImmutableArray<DeliveryAttempt> Log { get; init; }
}

/// <summary>One attempt.</summary>
/// <param name="At">When.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Answer">What was answered: "204", "250 queued"; null: nothing.</param>
/// <param name="Error">Why it did not work; null: it did.</param>
public sealed record DeliveryAttempt(DateTimeOffset At, long Milliseconds, string? Answer, string? Error);
