using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Tests.Session;

// Routes as the agent announces them.
internal static class Announcements
{
    public static readonly Community Primary = new(65000, 1);

    public static readonly Community Secondary = new(65000, 2);

    public static Advertisement Ipv4(Community? role = null, string prefix = "203.0.113.57/32") => new()
    {
        Prefix = IPNetwork.Parse(prefix),
        Communities = [role ?? Primary],
    };

    public static Advertisement Ipv6(Community? role = null, string prefix = "2001:db8:e001:1b8c::/64") => Ipv4(role, prefix);
}
