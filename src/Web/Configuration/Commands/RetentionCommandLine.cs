using System.CommandLine;
using FailoverHub.Web.History.Retention;

namespace FailoverHub.Web.Configuration.Commands;

/// <summary>`failoverhub retention`: shows how long the past is kept, or changes it.</summary>
internal static class RetentionCommandLine
{
    public static Command Build(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var events = new Option<string?>("--events") { HelpName = "DAYS|forever", Description = "How long events are kept. Default 400." };
        var probes = new Option<string?>("--probes") { HelpName = "HOURS", Description = "How long single probes of shared addresses are kept. Default 24." };
        var minutes = new Option<string?>("--minutes") { HelpName = "DAYS", Description = "How long what probes come to each minute is kept. Default 30." };
        var hours = new Option<string?>("--hours") { HelpName = "DAYS", Description = "How long what probes come to each hour is kept. Default 400." };
        var retention = new Command("retention", "Show how long the past is kept, or change it; the audit is kept for ever. A running hub follows within a minute.") { data, events, probes, minutes, hours, database.Database, database.PasswordFile };
        retention.SetAction((parsed, cancellationToken) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => HubCommands.WithServicesAsync(options, error, async services =>
        {
            RetentionSettings settings = services.GetRequiredService<RetentionSettings>();
            RetentionPeriods before = await settings.ReadAsync(cancellationToken);
            RetentionPeriods wanted = before.With(parsed.GetValue(events), parsed.GetValue(probes), parsed.GetValue(minutes), parsed.GetValue(hours), out var problems);
            foreach (string problem in problems)
            {
                await error.WriteLineAsync($"failoverhub: {problem}");
            }

            if (problems.Length > 0)
            {
                return 1;
            }

            if (wanted != before && await settings.ChangeAsync(wanted, HubCommands.Actor, cancellationToken) is { } why)
            {
                await error.WriteLineAsync($"failoverhub: {why}");
                return 1;
            }

            await output.WriteLineAsync($"Events: {(wanted.EventDays is null ? "for ever" : $"{wanted.EventText} days")}. Single probes: {wanted.ProbeHours} hours; by minute: {wanted.MinuteDays} days; by hour: {wanted.HourDays} days. Audit: for ever.");
            return 0;
        }, cancellationToken)));
        return retention;
    }
}
