using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests;

/// <summary>A line that was logged.</summary>
internal sealed record LoggedLine(LogLevel Level, string Text, Exception? Exception);

/// <summary>A log that keeps its lines, of every level.</summary>
internal sealed class RecordedLog<T> : ILogger<T>
{
    public Signal<LoggedLine> Lines { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add(new LoggedLine(logLevel, formatter(state, exception), exception));
}
