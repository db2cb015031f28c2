using FailoverHub.Web.History;

namespace FailoverHub.Web.Data;

/// <summary>When people are told. What it says is JSON: it is only ever read and written as a whole.</summary>
internal sealed class AlertRuleEntity
{
    public required string Id { get; set; }

    /// <summary>Unique.</summary>
    public required string Name { get; set; }

    public required string DefinitionJson { get; set; }

    /// <summary>A concurrency token: of two changes that saw the same only one is made.</summary>
    public required long Revision { get; set; }
}

/// <summary>Where people are told.</summary>
internal sealed class AlertChannelEntity
{
    public required string Id { get; set; }

    /// <summary>Unique.</summary>
    public required string Name { get; set; }

    public required string DefinitionJson { get; set; }

    /// <summary>What must not be shown again, closed with the hub's keys; null: there is none.</summary>
    public string? ClosedSecret { get; set; }

    /// <summary>A concurrency token.</summary>
    public required long Revision { get; set; }
}

/// <summary>Something that was wrong, or is. Of one rule and subject only one is active: a unique index says so.</summary>
internal sealed class AlertEntity
{
    /// <summary>Grows with time: the order of the list.</summary>
    public required string Id { get; set; }

    public required string RuleId { get; set; }

    public required string RuleName { get; set; }

    public required string Kind { get; set; }

    public required string Subject { get; set; }

    public required string About { get; set; }

    public required EventSeverity Severity { get; set; }

    public string? Pair { get; set; }

    public string? Node { get; set; }

    public string? Prefix { get; set; }

    public string? OperationId { get; set; }

    public required string Text { get; set; }

    public required long RaisedAtMs { get; set; }

    /// <summary>Null: it is active.</summary>
    public long? ResolvedAtMs { get; set; }

    public string? ResolvedText { get; set; }

    public string? AcknowledgedBy { get; set; }

    public long? AcknowledgedAtMs { get; set; }

    public string? AcknowledgedReason { get; set; }

    /// <summary>Why nobody is told of it, in words; null: nothing keeps it quiet.</summary>
    public string? QuietBecause { get; set; }

    /// <summary>Ids of the channels that were told of it, separated by blanks.</summary>
    public required string ToldTo { get; set; }

    public long? LastToldAtMs { get; set; }
}

/// <summary>Of a rule and a subject nobody is told until a time; the row goes when it ends.</summary>
internal sealed class AlertShelfEntity
{
    public required string RuleId { get; set; }

    public required string Subject { get; set; }

    public required long AtMs { get; set; }

    public required long UntilMs { get; set; }

    public required string Actor { get; set; }

    public required string Reason { get; set; }
}

/// <summary>A message on its way to a channel, or what became of it.</summary>
internal sealed class AlertDeliveryEntity
{
    public long Id { get; set; }

    public required string ChannelId { get; set; }

    /// <summary>Null: it is about more than one, or a test.</summary>
    public string? AlertId { get; set; }

    /// <summary>"raised", "resolved", "summary".</summary>
    public required string Notice { get; set; }

    public required EventSeverity Severity { get; set; }

    /// <summary>One line of what it says.</summary>
    public required string Title { get; set; }

    /// <summary>What is sent, independent of the way it is sent.</summary>
    public required string MessageJson { get; set; }

    public required long CreatedAtMs { get; set; }

    /// <summary>Not tried before.</summary>
    public required long DueAtMs { get; set; }

    /// <summary>"waiting", "delivered", "given-up", "summarised", "split", "expired" or "dropped".</summary>
    public required string State { get; set; }

    public int Attempts { get; set; }

    public long? LastAttemptAtMs { get; set; }

    public string? LastError { get; set; }

    public long? DeliveredAtMs { get; set; }

    /// <summary>The message that tells of this one among others.</summary>
    public long? SummaryId { get; set; }

    /// <summary>The newest attempts with their time, duration and error.</summary>
    public required string AttemptsJson { get; set; }
}

/// <summary>A time in which work is done on something, so that what is wrong with it is nobody's news.</summary>
internal sealed class MaintenanceWindowEntity
{
    public required string Id { get; set; }

    /// <summary>"all", "data-center", "pair" or "node".</summary>
    public required string Scope { get; set; }

    /// <summary>Name of the pair or the node, decimal id of the data center; empty: all.</summary>
    public required string Target { get; set; }

    public required long FromMs { get; set; }

    public required long ToMs { get; set; }

    public required string Reason { get; set; }

    public required string Actor { get; set; }

    public required long CreatedAtMs { get; set; }

    /// <summary>Somebody ended it before its time.</summary>
    public long? EndedAtMs { get; set; }
}
