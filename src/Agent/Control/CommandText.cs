using System.Globalization;

namespace FailoverHub.Agent.Control;

/// <summary>What came of a command, for people: one line.</summary>
internal static class CommandText
{
    public static string Of(CommandDocument command) => command switch
    {
        { Outcome: "refused" } => $"refused, nothing changed: {command.Reason}",
        { Changed: false } => command.Text,
        { Outcome: "applied" } => string.Create(CultureInfo.InvariantCulture, $"{command.Text}; written on {command.SessionsUpdated} of {command.SessionsEstablished} established sessions"),
        _ => $"{command.Text}; {command.Reason}",
    };

    /// <summary>0: done; 1: refused; 4: kept and obeyed, or about to be, but no neighbor has been told yet.</summary>
    public static int ExitCode(CommandDocument command) => command switch
    {
        { Outcome: "refused" } => 1,
        { Outcome: "accepted-not-announced" or "begun", Changed: true } => 4,
        _ => 0,
    };
}
