using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>What changes in who answers, as history keeps it. Pure.</summary>
internal static class AnswerEvents
{
    public const string Split = "answers-split";
    public const string Elsewhere = "answers-elsewhere";
    public const string Forged = "answers-forged";
    public const string Settled = "answers-settled";
    public const string OtherWay = "answers-other-way";

    public static EventDraft ToDraft(AnswerFinding finding, DateTimeOffset at) => new()
    {
        At = at,
        Kind = finding switch
        {
            AnswerFinding.Began { Mark.Kind: AnswerMarkKind.Split } => Split,
            AnswerFinding.Began { Mark.Kind: AnswerMarkKind.Elsewhere } => Elsewhere,
            AnswerFinding.Began => Forged,
            AnswerFinding.Ended => Settled,
            _ => OtherWay,
        },
        Severity = finding switch
        {
            AnswerFinding.Began { Mark.Kind: AnswerMarkKind.Elsewhere } => EventSeverity.Warning,
            AnswerFinding.Began => EventSeverity.Critical,
            _ => EventSeverity.Info,
        },
        Pair = finding.Target.Pair,
        Node = finding is AnswerFinding.OtherWay way ? way.Node : null,
        Prefix = finding.Target.Prefix.ToString(),
        Text = finding.Text,
    };
}
