using System.Net;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Tests.Vantage;

/// <summary>Tasks as a hub sends them, and as they are when they have been read.</summary>
internal static class Plans
{
    public static AskedTask Ping(uint id, string address = "192.0.2.10", uint interval = 1000, uint timeout = 1000) => new(id, address, interval, timeout, new AskedWay.Icmp());

    public static AskedTask Page(uint id, AskedWay.Http page, string address = "", uint interval = 5000) => new(id, address, interval, 2000, page);

    public static AskedPlan Of(params IEnumerable<AskedTask> tasks) => new(7, [.. tasks]);

    public static VantageTask Task(uint id, double interval = 1, double timeout = 1, string address = "192.0.2.10") =>
        new(id, new VantageWay.Icmp(IPAddress.Parse(address)), TimeSpan.FromSeconds(interval), TimeSpan.FromSeconds(timeout));
}
