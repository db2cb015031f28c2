using System.Text;

namespace FailoverHub.Agent.Tests.Discovery;

/// <summary>Documents as the metadata service sends them, of a machine that does not exist.</summary>
internal static class Documents
{
    public const string Instance =
        """
        {"id":1234567,"host_uuid":"3f0c1a52d5c24d1b9a7d6d2f1f1b7c55","label":"web-a","region":"us-ord","type":"g6-standard-1","tags":["web"],
         "specs":{"vcpus":1,"memory":2048,"gpus":0,"transfer":2000,"disk":51200},"backups":{"enabled":false,"status":null},
         "image":{"id":"linode/debian12","label":"Debian 12"},"account_euuid":"A1B2C3D4-0000-0000-0000-000000000000"}
        """;

    public const string Network =
        """
        {"interfaces":[{"id":1,"label":"","purpose":"public","ipam_address":null}],
         "ipv4":{"public":["192.0.2.10/32"],"private":["192.168.130.7/17"],"shared":["203.0.113.10/32"]},
         "ipv6":{"slaac":"2001:db8:18::f03c:94ff:fe00:1/128","link_local":"fe80::f03c:94ff:fe00:1/128","ranges":[],"shared_ranges":["2001:db8:e001:1b8c::/64"]}}
        """;

    public const string OlderNetwork =
        """
        {"interfaces":[],"ipv4":{"public":["192.0.2.10/32"],"private":[],"elastic":["203.0.113.10"]},
         "ipv6":{"slaac":"2001:db8:18::f03c:94ff:fe00:1","link-local":"fe80::1/128","ranges":[],"elastic-ranges":["2001:db8:e001:1b8c::/64"]}}
        """;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
