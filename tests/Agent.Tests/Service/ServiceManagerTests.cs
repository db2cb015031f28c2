using FailoverHub.Agent.Service;

namespace FailoverHub.Agent.Tests.Service;

public sealed class ServiceManagerTests
{
    private const int We = 4711;

    [Theory]
    [InlineData("/run/systemd/notify", null, null, null)]
    [InlineData("@notify", "60000000", null, 60)]
    [InlineData("@notify", "60000000", "4711", 60)]
    [InlineData("@notify", "60000000", "4712", null)]
    [InlineData("@notify", "0", null, null)]
    [InlineData("@notify", "soon", null, null)]
    [InlineData("@notify", "9223372036854775807", null, null)]
    public void Environment_OfANotifyService_NamesTheSocketAndOurWatchdog(string socket, string? microseconds, string? process, int? seconds)
    {
        var manager = ServiceManager.Of(Environment(socket, microseconds, process), We);

        Assert.Equal(new ServiceManager(socket, seconds is { } period ? TimeSpan.FromSeconds(period) : null), manager);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("relative/notify")]
    [InlineData("vsock:2:1234")]
    public void Environment_OfAnythingElse_NamesNobody(string? socket)
    {
        Assert.Null(ServiceManager.Of(Environment(socket, "60000000", null), We));
    }

    private static Func<string, string?> Environment(string? socket, string? microseconds, string? process) => name => name switch
    {
        "NOTIFY_SOCKET" => socket,
        "WATCHDOG_USEC" => microseconds,
        "WATCHDOG_PID" => process,
        _ => null,
    };
}
