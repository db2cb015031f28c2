using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FailoverHub.Agent.Platform;

/// <summary>The log: one line a transition on standard output.</summary>
internal static class AgentLogging
{
    private const string Timestamps = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";

    /// <param name="threshold">The lowest that is written, now and after a change.</param>
    /// <param name="json">One JSON object a line.</param>
    /// <param name="underSystemd">Standard output is the journal, which wants a priority and has times of its own.</param>
    public static ILoggerFactory Create(LogThreshold threshold, bool json, bool underSystemd) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter(level => level >= threshold.Level);
        logging.AddConsole(console =>
        {
            // A log that nobody reads must not hold up the node.
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
            console.FormatterName = json ? ConsoleFormatterNames.Json : underSystemd ? ConsoleFormatterNames.Systemd : ConsoleFormatterNames.Simple;
        });
        if (json)
        {
            logging.AddJsonConsole(formatter =>
            {
                formatter.TimestampFormat = Timestamps.TrimEnd();
                formatter.UseUtcTimestamp = true;
            });
        }
        else if (underSystemd)
        {
            logging.AddSystemdConsole();
        }
        else
        {
            logging.AddSimpleConsole(formatter =>
            {
                formatter.SingleLine = true;
                formatter.TimestampFormat = Timestamps;
                formatter.UseUtcTimestamp = true;
                formatter.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
    });
}

/// <summary>The lowest level that is written; a reload may change it while others log.</summary>
internal sealed class LogThreshold(LogLevel level)
{
    private volatile LogLevel _level = level;

    public LogLevel Level
    {
        get => _level;
        set => _level = value;
    }
}
